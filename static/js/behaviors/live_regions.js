// Refetches what a push names: one row, or a list that lacks the row. HTML comes from the server only.

import { AudioWait, EndedHere, Rounds } from "../lib/audio_wait.js";
import { Pace } from "../lib/pace.js";
import { live, notice } from "../lib/page.js";

const ASK_EVERY_MS = 5_000;
const ASK_FOR_MS = 60_000;
const ROUND_EVERY_MS = 10_000;
/** A socket that is back within this time was not missed by anybody. */
const SAY_DOWN_AFTER_MS = 4_000;

const REPAIRS = new Set(["repair.made", "outbound.refused"]);

/** What waits while somebody is in the middle of it; whole lists all of them. */
const LISTS = "[data-live-list], [data-live-repairs], [data-live-voicemail]";
/** What each call of the company touches: not more often than people can read. */
const PACED = `${LISTS}, [data-live-calls], [data-live-people], [data-live-orders]`;

const audioWait = new AudioWait();
const endedHere = new EndedHere();
const rounds = new Rounds();
const pace = new Pace();
const waiting = new Map();
/** Call → when a push last named it. What a fetch that began earlier brought may be older than that. */
const heardAtMs = new Map();
/** When a push last named an order of a number; a page that was on its way then may lack it. */
let ordersHeardAtMs = -Infinity;
const begunAtMs = new WeakMap();
/** Lists that wait until the person has left them. */
const left = new WeakSet();
const FORGET_AFTER_MS = 60_000;
let askUntilMs = 0;
let sayDown = null;

export function connect() {
  live?.addEventListener("push", ({ detail }) => {
    if (detail.call_id) onPush(detail.call_id);
    if (REPAIRS.has(detail.type)) document.querySelectorAll("[data-live-repairs]").forEach(refreshSoon);
    if (detail.call_id) document.querySelectorAll("[data-live-calls]").forEach(refreshSoon);
    if (detail.order_id) onOrder();
    if (detail.message_id) onMessage(detail.message_id);
    if (detail.recording_id) refreshMessagesOf(detail.recording_id);
    if (detail.type === "agent.presence") document.querySelectorAll("[data-live-people]").forEach(refreshSoon);
  });
  document.addEventListener("htmx:beforeRequest", ({ detail }) => begunAtMs.set(detail.xhr, performance.now()));
  document.addEventListener("htmx:afterSettle", ({ detail }) => refreshOvertaken(begunAtMs.get(detail.xhr)));
  live?.addEventListener("up", onUp);
  live?.addEventListener("down", onDown);
  // The phone's own news reaches the list even while the socket is down.
  document.addEventListener("curbe:call", ({ detail }) => {
    if (!live?.isUp) askForAMinute();
    // A call that only rang here goes on elsewhere.
    if (detail.phase !== "ended" || !detail.callId || !detail.wasHere) return;
    endedHere.add(detail.callId, Date.now());
    // Whoever called back is named with the message.
    document.querySelectorAll("[data-messages]").forEach(refreshMessages);
  });
  setInterval(askIfDown, ASK_EVERY_MS);
  setInterval(askForAudio, ASK_EVERY_MS);
  setInterval(askForEnded, ASK_EVERY_MS);
  setInterval(askOne, ROUND_EVERY_MS);
}

function onPush(callId) {
  heardAtMs.set(callId, performance.now());
  refreshCall(callId);
}

function onOrder() {
  ordersHeardAtMs = performance.now();
  refreshOrders();
}

function refreshOvertaken(begunMs) {
  const now = performance.now();
  if (ordersHeardAtMs > begunMs) refreshOrders();
  for (const [callId, heardMs] of heardAtMs) {
    if (now - heardMs > FORGET_AFTER_MS) heardAtMs.delete(callId);
    else if (heardMs > begunMs) refreshCall(callId);
  }
}

function refreshCall(callId) {
  const rows = rowsOf(callId);
  if (rows.length === 0) return document.querySelectorAll("[data-live-list]").forEach(refreshSoon);
  return rows.forEach(refreshSoon);
}

function rowsOf(callId) {
  return [...document.querySelectorAll(`[data-call="${CSS.escape(callId)}"][hx-get]`)];
}

function onMessage(messageId) {
  const row = document.querySelector(`[data-message="${CSS.escape(messageId)}"]`);
  if (row) refreshMessage(row);
  document.querySelectorAll("[data-live-voicemail]").forEach(refreshSoon);
}

/** The audio of a message came, or went, or will not come. */
function refreshMessagesOf(recordingId) {
  document.querySelectorAll(`[data-message][data-recording="${CSS.escape(recordingId)}"]`).forEach(refreshMessage);
}

function refreshMessage(row) {
  const list = row.closest("[data-live-voicemail]");
  if (list && !list.contains(document.activeElement)) return refreshSoon(list);
  // A page of older messages is no live list; and one that somebody is in the middle of waits for him. A row gives the
  // focus back by its ids.
  return refreshSoon(row);
}

function refreshMessages(list) {
  const row = list.contains(document.activeElement) ? document.activeElement.closest("[data-message]") : null;
  if (row) refreshSoon(row);
  // It waits until he has left it.
  if (list.matches("[data-live-voicemail]")) refreshSoon(list);
}

function refreshLists() {
  document.querySelectorAll("[data-live-list], [data-live-voicemail]").forEach(refreshSoon);
}

function refreshOrders() {
  document.querySelectorAll("[data-live-orders]").forEach(refreshSoon);
}

function refreshSoon(element) {
  const key = element.id;
  if (waiting.has(key)) return;
  const delayMs = pace.delayMs(key, element.matches(PACED), Date.now());
  waiting.set(
    key,
    setTimeout(() => refresh(key), delayMs),
  );
}

function refresh(id) {
  waiting.delete(id);
  const element = document.getElementById(id);
  // A person in the middle of the list keeps the focus: the row is fetched when he has left it.
  if (!element) return;
  if (element.matches(LISTS) && element.contains(document.activeElement)) {
    if (!left.has(element)) element.addEventListener("focusout", () => onLeft(element), { once: true });
    left.add(element);
    return;
  }
  if (element.matches(PACED)) pace.fetched(id, Date.now());
  window.htmx.trigger(element, "refresh");
}

function onLeft(element) {
  left.delete(element);
  refreshSoon(element);
}

function onUp() {
  clearTimeout(sayDown);
  notice("liveDown", false);
  refreshLists();
  refreshOrders();
  document.querySelectorAll("[data-call][data-unsettled], [data-live-calls], [data-live-repairs]").forEach(refreshSoon);
}

function onDown() {
  askForAMinute();
  clearTimeout(sayDown);
  sayDown = setTimeout(() => notice("liveDown", true), SAY_DOWN_AFTER_MS);
}

function askForAMinute() {
  askUntilMs = Date.now() + ASK_FOR_MS;
}

/** A push may be lost though the socket is up: a full queue drops, Redis may be away. */
function askForAudio() {
  const rows = [...document.querySelectorAll("[data-call][data-awaits-audio]")];
  const due = audioWait.due([...new Set(rows.map((row) => row.dataset.call))], Date.now());
  rows.filter((row) => due.includes(row.dataset.call)).forEach(refreshSoon);
}

/** The phone here knows that a call is over, also when nobody pushed it: until its row does, it is asked for. */
function askForEnded() {
  for (const callId of endedHere.due(Date.now())) {
    const rows = rowsOf(callId);
    if (rows.length === 0 && endedHere.isFirst(callId))
      document.querySelectorAll("[data-live-list]").forEach(refreshSoon);
    rows.filter((row) => row.hasAttribute("data-unsettled")).forEach(refreshSoon);
  }
}

/** Whoever watches other people's calls has no phone that knows better: a call whose end was lost would go on for ever. */
function askOne() {
  const unsettled = [...document.querySelectorAll("[data-call][data-unsettled]")].map((row) => row.dataset.call);
  const callId = live?.isUp ? rounds.next([...new Set(unsettled)]) : null;
  if (callId) rowsOf(callId).forEach(refreshSoon);
}

function askIfDown() {
  if (live?.isUp || Date.now() > askUntilMs) return;
  const unsettled = document.querySelectorAll("[data-call][data-unsettled], [data-live-orders][data-unsettled]");
  if (unsettled.length > 0) askUntilMs = Math.max(askUntilMs, Date.now() + ASK_EVERY_MS);
  refreshLists();
  unsettled.forEach((element) => element.closest("[data-live-list]") || refreshSoon(element));
}
