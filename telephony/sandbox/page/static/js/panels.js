// The side of the page: calling, who is registered, trouble, errors.
import { send } from "./api.js";
import { clock, el, redraw } from "./dom.js";

const SENTENCES = {
  es: "Hola, buenos días. Quisiera hablar con alguien de ventas, por favor.",
  en: "Hello, good morning. I would like to talk to somebody in sales, please.",
};

export function drawNumbers(numbers) {
  const callable = numbers.filter((number) => number.can_be_called);
  redraw(document.getElementById("numbers"), callable, () =>
    callable.map((number) => el("option", { value: number.e164 }, number.connection_name ?? "")),
  );
  const to = document.getElementById("call-form").elements.to;
  if (!to.value && callable.length) to.value = callable[0].e164;
}

export function drawRegistrations(seats, credentials) {
  redraw(document.getElementById("registrations"), seats, () =>
    seats.length ? seats.map(seatLine) : [el("li", { class: "quiet" }, "Nobody: no agent can be rung.")],
  );
  redraw(document.getElementById("credentials"), credentials, () =>
    credentials.map((one) => el("option", { value: one.sip_username }, one.name || one.sip_username)),
  );
  document.getElementById("agent-form").hidden = credentials.length === 0;
}

function seatLine(seat) {
  const isBrowser = seat.kind === "browser";
  const path = `/${isBrowser ? "registrations" : "agents"}/${encodeURIComponent(seat.sip_username)}`;
  const end = () => (isBrowser ? send(`${path}/drop`) : send(path, {}, "DELETE"));
  const about = isBrowser ? `browser since ${clock(seat.since)}` : standIn(seat.script);
  return el(
    "li",
    { class: "seat" },
    el("span", { class: "dot is-good" }),
    el(
      "div",
      {},
      el("p", { title: seat.sip_username }, seat.name || seat.sip_username),
      el("p", { class: "quiet" }, about),
    ),
    el("button", { type: "button", onclick: end }, isBrowser ? "Cut the line" : "Remove"),
  );
}

function isBeingTyped(field) {
  return field.type === "number" && field === document.activeElement;
}

function standIn({ ignore, decline_after_ms, answer_after_ms, hangup_after_ms }) {
  if (ignore) return "stand-in: lets it ring";
  if (decline_after_ms) return `stand-in: declines after ${decline_after_ms / 1000} s`;
  const end = hangup_after_ms ? `, hangs up after ${hangup_after_ms / 1000} s` : "";
  return `stand-in: answers after ${(answer_after_ms ?? 0) / 1000} s${end}`;
}

export function drawTrouble(trouble) {
  const form = document.getElementById("trouble");
  for (const field of form.elements) {
    if (!(field.name in trouble) || isBeingTyped(field)) continue;
    if (field.type === "checkbox") field.checked = trouble[field.name];
    else field.value = trouble[field.name];
  }
}

export function drawErrors(errors) {
  document.getElementById("errors").hidden = errors.length === 0;
  redraw(document.getElementById("error-list"), errors.slice(-5).reverse(), (lines) =>
    lines.map((line) => el("li", {}, el("time", {}, clock(line.at)), el("span", {}, line.text))),
  );
}

export function connectPanels(refresh) {
  const on = (id, event, act) => document.getElementById(id).addEventListener(event, act);
  const call = document.getElementById("call-form");
  suggestSentence(call);
  call.elements.does.addEventListener("change", () => suggestSentence(call));
  on("call-form", "submit", (event) => placeCall(event, refresh));
  on("agent-form", "submit", async (event) => {
    event.preventDefault();
    const { sip_username, does } = Object.fromEntries(new FormData(event.target));
    const [verb, after] = does.split(":");
    await send(`/agents/${encodeURIComponent(sip_username)}`, { [verb]: after ? Number(after) : true });
    refresh();
  });
  on("trouble", "change", async (event) => {
    const { name, type, checked, value } = event.target;
    const wanted = type === "checkbox" ? checked : type === "number" ? Number(value) : value;
    await send("/trouble", { [name]: wanted });
    refresh();
  });
  on("all-off", "click", () => send("/trouble", { all_off: true }).then(refresh));
  on("expire-links", "click", () => send("/recordings/expire_links").then(refresh));
  on("end-all", "click", () => send("/calls/end_all").then(refresh));
}

function suggestSentence(form) {
  const [verb, language] = form.elements.does.value.split(":");
  form.querySelector(".say").hidden = verb !== "say";
  if (language) form.elements.text.value = SENTENCES[language];
}

async function placeCall(event, refresh) {
  event.preventDefault();
  const { does, text, hold_line_s, ...call } = Object.fromEntries(new FormData(event.target));
  const [verb, language] = does.split(":");
  const scripts = { say: [{ say: text, language }], tone: [{ tone: 1000 }], nothing: [] };
  const problem = document.getElementById("call-problem");
  problem.hidden = true;
  try {
    await send("/calls", {
      ...call,
      script: scripts[verb],
      ...(hold_line_s && { hold_line_s: Number(hold_line_s) }),
    });
    refresh();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}
