// "Export as CSV": the file comes as a stream that is counted while it comes, and can be stopped. Without this script
// the link is an ordinary download.

const SAID_EVERY_MS = 250;
const NEW_LINE = 10;

let stopping = null;

export function connect() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-export]");
    if (event.target.closest("[data-export-stop]")) stopping?.abort();
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (!stopping) exportTo(link.href);
  });
}

async function exportTo(address) {
  stopping = new AbortController();
  say("running", 0);
  let said = "failed";
  const counted = { lines: 0 };
  try {
    const response = await fetch(address, { signal: stopping.signal, credentials: "same-origin", headers: company() });
    if (response.status === 503) said = "busy";
    else if (response.ok) {
      save(await gathered(response, counted), nameOf(response));
      said = "done";
    }
  } catch {
    said = stopping.signal.aborted ? "canceled" : "failed";
  }
  stopping = null;
  say(said, counted.lines);
}

async function gathered(response, counted) {
  const pieces = [];
  let saidAtMs = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces, { type: "text/csv" });
    pieces.push(value);
    // The first line is the head. A line break within a cell counts too: the count is for the eye.
    counted.lines += value.reduce((sum, byte) => sum + (byte === NEW_LINE), pieces.length === 1 ? -1 : 0);
    if (Date.now() - saidAtMs < SAID_EVERY_MS) continue;
    saidAtMs = Date.now();
    say("running", counted.lines);
  }
}

function say(what, lines) {
  const box = document.querySelector("[data-export-box]");
  if (!box) return;
  const amount = new Intl.NumberFormat(document.documentElement.lang).format(Math.max(0, lines));
  box.hidden = false;
  box.querySelector("[data-export-words]").textContent = box.dataset[what].replace("{n}", amount);
  box.querySelector("[data-export-stop]").hidden = what !== "running";
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function nameOf(response) {
  return /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "calls.csv";
}

function company() {
  const { company } = document.body.dataset;
  return company ? { "X-Curbe-Company": company } : {};
}
