// One request with its answer, folded until somebody opens it.
import { clock, el } from "./dom.js";
import { pretty } from "./pretty.js";

const DOTS = { answered: "is-good", waiting: "is-warn", failed: "is-bad", dropped: "is-bad" };

export function exchangeLine(exchange, isOpen) {
  const line = el("details", { class: "exchange", open: isOpen, "data-seq": exchange.seq });
  line.append(
    el(
      "summary",
      {},
      el("span", { class: `dot ${DOTS[exchange.outcome]}` }),
      el("time", {}, clock(exchange.at)),
      el("span", { class: "path", title: exchange.url }, `${words(exchange)} ${path(exchange.url)}`),
      el("span", { class: "how" }, outcome(exchange)),
    ),
  );
  // Bodies are built when they are first looked at: a long call has hundreds.
  const fill = () => line.children.length === 1 && line.append(bodies(exchange));
  if (isOpen) fill();
  line.addEventListener("toggle", fill);
  return line;
}

function words(exchange) {
  if (exchange.direction === "in") return `API ${exchange.method}`;
  const again = exchange.attempt > 1 ? ` (attempt ${exchange.attempt})` : "";
  return `${exchange.kind}${status(exchange)}${again}`;
}

function status(exchange) {
  const fields = new URLSearchParams(exchange.body);
  const word = { status: "CallStatus", recording: "RecordingStatus", instruction: "DialCallStatus" }[exchange.kind];
  return fields.get(word) ? ` ${fields.get(word)}` : "";
}

function path(url) {
  const parsed = new URL(url, location.origin);
  return parsed.pathname + parsed.search;
}

function outcome(exchange) {
  if (exchange.outcome === "dropped") return "dropped";
  if (exchange.status == null) return exchange.error ? "no answer" : "…";
  return `${exchange.status} · ${exchange.took_ms} ms`;
}

function bodies(exchange) {
  return el(
    "div",
    { class: "bodies" },
    el("div", {}, el("h3", {}, "Request"), pretty(exchange.body)),
    el(
      "div",
      {},
      el("h3", {}, "Answer"),
      exchange.error ? el("p", { class: "reason" }, exchange.error) : pretty(exchange.answer),
    ),
  );
}
