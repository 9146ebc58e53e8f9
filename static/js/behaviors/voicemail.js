// Messages: playing one, or calling back, hears it; keys walk through the list. What is changed is fetched by the forms
// themselves; what becomes of a change is followed here.

import { live, notice } from "../lib/page.js";

const AWAY_SHOWN_MS = 6_000;

export function connect() {
  // Whoever listens, clicks into the words or calls back has dealt with the message.
  document.addEventListener("click", ({ target }) => hearIfNew(target.closest("[data-play]")));
  document.addEventListener("curbe:dialled", ({ target }) => hearIfNew(target));
  document.addEventListener("keydown", onKey);
  // The list of people is long: it is filled in where it is opened, by whatever opens it.
  for (const name of ["focusin", "pointerdown"]) document.addEventListener(name, fillPeople);
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => isOfMessage(detail) && onBeforeSwap(detail));
  document.body.addEventListener("htmx:afterRequest", ({ detail }) => isOfMessage(detail) && onAnswered(detail));
}

function hearIfNew(pressed) {
  const message = pressed?.closest(".message--new");
  if (message) hear(message);
}

function hear(message) {
  message.querySelector("[data-message-hear]").form.requestSubmit();
}

function fillPeople({ target }) {
  const select = target.closest?.("[data-people]");
  const people = document.querySelector("#people");
  if (!select || !people || "filled" in select.dataset) return;
  select.dataset.filled = "";
  const known = new Set([...select.options].map(({ value }) => value));
  const all = people.content.cloneNode(true).querySelectorAll("option");
  select.append(...[...all].filter(({ value }) => !known.has(value)));
}

// --- What becomes of a change ---

function isOfMessage({ target }) {
  return Boolean(target?.matches?.("[data-message]"));
}

function onBeforeSwap({ xhr, target }) {
  // It was deleted, or given away: there is no row any more.
  if (xhr.status === 200 && xhr.responseText.trim() === "") handFocusOn(target);
}

function onAnswered({ xhr, target, requestConfig }) {
  const isWish = requestConfig.verb === "post";
  if (xhr.status === 404) {
    // A colleague was quicker.
    handFocusOn(target);
    target.remove();
  }
  if (!isWish) return;
  const isAway = xhr.status === 0 || xhr.status >= 500;
  notice("serverAway", isAway);
  if (isAway) setTimeout(() => notice("serverAway", false), AWAY_SHOWN_MS);
  // What was refused is not so: the row says how things stand; without a log-in, the page leads there.
  else if (xhr.status === 401 || xhr.status === 403) notice("refused", true, () => location.reload());
  else if (xhr.status >= 400 && xhr.status !== 404) window.htmx.trigger(target, "refresh");
  // The push that follows says the same; a page whose socket is down has only this.
  else if (!live?.isUp) window.htmx.trigger("#voicemail-badge", "refresh");
}

/** The row goes: whoever works through the list by keys goes on with the next one. */
function handFocusOn(message) {
  if (!message.contains(document.activeElement)) return;
  const next = message.nextElementSibling ?? message.previousElementSibling;
  requestAnimationFrame(() => (next ? focusOn(next) : document.querySelector("#main").focus({ preventScroll: true })));
}

// --- Keys ---

// Single letters count only while the focus is in the list: nobody who dictates or types elsewhere sets one off.
function onKey(event) {
  const { target, key } = event;
  const list = target.closest?.("[data-messages]");
  if (!list || event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
  const act = KEYS[key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act([...list.querySelectorAll("[data-message]")], target.closest("[data-message]"));
}

const KEYS = {
  j: (messages, current) => focusOn(messages[messages.indexOf(current) + 1]),
  k: (messages, current) => focusOn(messages[messages.indexOf(current) - 1]),
  h: (messages, current) => current && hear(current),
};

function focusOn(message) {
  const play = message?.querySelector("[data-message-play]") ?? message?.querySelector("button, a");
  play?.focus();
}
