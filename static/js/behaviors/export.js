// "Export as CSV": the file comes as a stream that is counted while it comes, and can be stopped. Without this script
// the link is an ordinary download.

import { isBroken, linesIn, refusalOf, TAIL_BYTES } from "../lib/exported.js";

const SAID_EVERY_MS = 250;

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
  // The first line is the head.
  const counted = { lines: -1 };
  say("running", 0);
  hear("begun");
  let said;
  try {
    said = await kept(address, counted, stopping.signal);
  } catch {
    said = stopping.signal.aborted ? "canceled" : "failed";
  }
  stopping = null;
  say(said, counted.lines);
  hear(said, counted.lines);
}

async function kept(address, counted, signal) {
  const response = await fetch(address, { signal, credentials: "same-origin", headers: company() });
  const type = response.headers.get("content-type") ?? "";
  const refusal = refusalOf({ status: response.status, isRedirected: response.redirected, type });
  if (refusal) return refusal;
  const file = await gathered(response, counted);
  const isWhole = !isBroken(await file.slice(-TAIL_BYTES).text());
  if (!isWhole) counted.lines -= 1;
  save(file, nameOf(response));
  return isWhole ? "done" : "broken";
}

async function gathered(response, counted) {
  const pieces = [];
  let saidAtMs = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces, { type: "text/csv" });
    pieces.push(value);
    counted.lines += linesIn(value);
    if (Date.now() - saidAtMs < SAID_EVERY_MS) continue;
    saidAtMs = Date.now();
    say("running", counted.lines);
  }
}

function say(what, lines) {
  const box = document.querySelector("[data-export-box]");
  if (!box) return;
  box.hidden = false;
  box.querySelector("[data-export-seen]").textContent = wordsOf(box, what, lines);
  const stop = box.querySelector("[data-export-stop]");
  const hadFocus = stop === document.activeElement;
  stop.hidden = what !== "running";
  if (hadFocus && stop.hidden) document.querySelector("[data-export]")?.focus();
}

/** Read out only when it begins and ends: numbers that run would be spoken without a pause. */
function hear(what, lines = 0) {
  const box = document.querySelector("[data-export-box]");
  if (box) box.querySelector("[data-export-heard]").textContent = wordsOf(box, what, lines);
}

function wordsOf(box, what, lines) {
  const amount = new Intl.NumberFormat(document.documentElement.lang).format(Math.max(0, lines));
  return box.dataset[what].replace("{n}", amount);
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
