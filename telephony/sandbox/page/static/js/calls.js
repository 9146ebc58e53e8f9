// The list of calls: a line each, and the open one in whole.
import { get, send } from "./api.js";
import { clock, el, redraw, seconds } from "./dom.js";
import { exchangeLine } from "./exchanges.js";

const KEYS = [..."123456789*0#"];
const BAD = ["failed", "busy", "no-answer", "canceled"];
const WHY = {
  408: "lost: its browser is gone",
  480: "nobody is registered there",
  486: "declined",
  487: "stopped ringing",
  502: "somebody else was faster",
  603: "rejected",
};
const LOUD = 0.3; // the loudness of a full tone: the meter's right end

const rows = new Map(); // call id → the elements of its line
let openId = null;

export function drawCalls(calls) {
  const list = document.getElementById("calls");
  document.getElementById("no-calls").hidden = calls.length > 0;
  document.getElementById("end-all").hidden = !calls.some((call) => call.is_live);
  const wanted = new Set(calls.map((call) => call.id));
  for (const [id, row] of rows) {
    if (wanted.has(id)) continue;
    row.item.remove();
    rows.delete(id);
  }
  calls.forEach((call, place) => {
    const row = rows.get(call.id) ?? newRow(call);
    if (list.children[place] !== row.item) list.insertBefore(row.item, list.children[place] ?? null);
    drawLine(row, call);
  });
}

export async function refreshOpenCall() {
  const row = rows.get(openId);
  if (row) drawWhole(row, await get(`/calls/${openId}`));
}

function newRow(call) {
  const row = {
    id: call.id,
    dot: el("span", { class: "dot" }),
    who: el("span", { class: "who" }),
    how: el("span", { class: "how" }),
    meter: el("span", { class: "meter" }),
    hears: el("span", {}),
    whole: el("div", { class: "whole", hidden: true }),
  };
  row.ear = el("span", { class: "ear" }, row.meter, row.hears);
  row.line = el("button", { type: "button", class: "line", "aria-expanded": "false", onclick: () => toggle(row) });
  row.line.append(row.dot, row.who, row.how, row.ear);
  row.item = el("li", { class: "call", id: `call-${call.id}` }, row.line, row.whole);
  rows.set(call.id, row);
  return row;
}

function drawLine(row, call) {
  row.item.classList.toggle("is-live", call.is_live);
  row.dot.className = `dot ${tone(call)}`;
  row.who.textContent = `${call.name && call.name !== call.from ? `${call.name} ` : ""}${call.from} → ${call.to}`;
  row.how.textContent = `${call.status} · ${seconds(call.duration_s)} · ${clock(call.created_at)}`;
  row.ear.hidden = !call.is_live;
  row.meter.style.setProperty("--level", Math.min(1, call.heard_rms / LOUD));
  row.hears.textContent = ear(call);
}

function tone(call) {
  if (call.errors.length || BAD.includes(call.status)) return "is-bad";
  return call.is_live ? (call.status === "in-progress" ? "is-good" : "is-warn") : "";
}

function ear(call) {
  const pitch = call.heard_peak_hz ? ` (${Math.round(call.heard_peak_hz)} Hz)` : "";
  return `hears ${call.hears}${pitch}`;
}

async function toggle(row) {
  const closing = openId === row.id;
  const before = rows.get(openId);
  if (before) {
    before.whole.hidden = true;
    before.line.setAttribute("aria-expanded", "false");
  }
  openId = closing ? null : row.id;
  if (closing) return;
  row.whole.hidden = false;
  row.line.setAttribute("aria-expanded", "true");
  await refreshOpenCall();
}

function drawWhole(row, call) {
  if (!row.parts) {
    row.parts = {
      mouth: mouth(call.id),
      reasons: el("div", {}),
      legs: el("ol", { class: "plain" }),
      exchanges: el("div", {}),
    };
    row.whole.append(
      row.parts.mouth,
      row.parts.reasons,
      el("div", {}, el("h3", {}, "Legs"), row.parts.legs),
      el("div", {}, el("h3", {}, "Requests and answers"), row.parts.exchanges),
    );
  }
  row.parts.mouth.hidden = !call.is_live;
  redraw(row.parts.reasons, call.errors, (errors) => errors.map((text) => el("p", { class: "reason" }, text)));
  const legs = call.legs.map(({ heard_rms, heard_peak_hz, duration_s, ...leg }) => leg);
  redraw(row.parts.legs, legs, () => call.legs.map(legLine));
  const opened = new Set([...row.parts.exchanges.querySelectorAll("details[open]")].map((line) => line.dataset.seq));
  redraw(row.parts.exchanges, call.exchanges, (lines) =>
    lines.map((line) => exchangeLine(line, opened.has(String(line.seq)))),
  );
}

function legLine(leg) {
  const state =
    leg.status === "in-progress" ? "is-good" : BAD.includes(leg.status) ? "is-bad" : leg.ended_at ? "" : "is-warn";
  const keys = leg.heard_digits ? ` · heard the keys ${leg.heard_digits}` : "";
  const why = (leg.ending ? ended(leg.ending) : `hears ${leg.hears}`) + keys;
  return el(
    "li",
    { class: `leg ${leg.parent ? "is-child" : ""}` },
    el("span", { class: `dot ${state}` }),
    el("div", {}, el("p", { title: leg.to }, `${leg.from} → ${leg.to_name}`), el("p", { class: "quiet" }, why)),
    el("span", { class: "how" }, leg.status),
  );
}

function ended({ hangup_cause, hangup_source, sip_code, error }) {
  return error || WHY[sip_code] || `${hangup_cause} (${sip_code}), ended by the ${hangup_source}`;
}

function mouth(id) {
  const text = el("input", { placeholder: "Say something…", "aria-label": "Text that the caller says" });
  const act = (path, body) => async () => {
    await send(`/calls/${id}/${path}`, body()).catch((error) => alert(error.message));
  };
  const say = (language) => act("say", () => ({ text: text.value || "Hola, buenos días.", language }));
  return el(
    "div",
    { class: "mouth" },
    text,
    el("button", { type: "button", onclick: say("es") }, "Say in Spanish"),
    el("button", { type: "button", onclick: say("en") }, "Say in English"),
    el("button", { type: "button", onclick: act("say", () => ({ tone: 1000 })) }, "Hum 1000 Hz"),
    el("button", { type: "button", onclick: act("say", () => ({ tone: 0 })) }, "Be silent"),
    el("button", { type: "button", class: "danger", onclick: act("hangup", () => ({})) }, "Hang up"),
    el(
      "div",
      { class: "keys", role: "group", "aria-label": "Keypad" },
      ...KEYS.map((digit) =>
        el("button", { type: "button", onclick: act("digits", () => ({ digits: digit })) }, digit),
      ),
    ),
  );
}
