// What the machine asks of the server about the call: how it stands, a wish, keys, its quality.

import { get, localMs, post } from "../../lib/api.js";
import { worse } from "../measuring.js";

const ADDRESSES = Object.freeze({
  hold: ["hold", { on: true }],
  unhold: ["hold", { on: false }],
  mute: ["mute", { on: true }],
  unmute: ["mute", { on: false }],
  transfer: ["transfer"],
  consult: ["consult"],
  complete: ["consult/complete"],
  cancel: ["consult/cancel"],
  merge: ["consult/merge"],
  swap: ["consult/swap"],
  leave: ["leave"],
});
/** The server may wait for Telnyx; past this the person is told. */
const WISH_WITHIN_MS = 12_000;
/** A transfer or a room needs a moment more than an answer of the database. */
const LEAVE_WITHIN_MS = 4_000;
const QUALITY_EVERY_MS = 30_000;
/** Keys typed one by one go together. */
const KEYS_TOGETHER_MS = 250;

export function talkCommands({ tell, view }) {
  let asking = 0;
  let keys = Promise.resolve();
  let typed = "";
  /** callId → {warnings, worst, sentAtMs}. */
  const quality = new Map();

  return {
    fetchTalk: async ({ callId }) => {
      if (!callId) return;
      asking += 1;
      const mine = asking;
      const answer = await get(`/api/calls/${callId}/talk`);
      // An older word must not come after a newer one.
      if (mine !== asking) return;
      if (answer.status === 200) tell({ type: "talk", callId, talk: talkOf(answer) });
      else if (answer.status !== 404) tell({ type: "talk.failed", callId });
    },
    wish: async ({ wish, to, callId }) => {
      const [path, body = to ? { to } : {}] = ADDRESSES[wish];
      const before = asking;
      const answer = await post(`/api/calls/${callId}/${path}`, body, { timeoutMs: WISH_WITHIN_MS });
      // Whatever was asked meanwhile may be older than this answer, or newer: it is not heard, but asked once more.
      const isOvertaken = asking !== before;
      asking += 1;
      if (answer.status === 202) {
        tell({ type: "talk.granted", callId, wish, talk: talkOf(answer) });
        return isOvertaken ? tell({ type: "talk.changed", callId }) : undefined;
      }
      if (answer.status === 0 || answer.status >= 500) tell({ type: "server.away" });
      return tell({ type: "talk.refused", callId, wish, error: answer.body.error ?? "" });
    },
    leave: async ({ sdkId, callId }) => {
      const { status } = await post(`/api/calls/${callId}/leave`, {}, { timeoutMs: LEAVE_WITHIN_MS });
      tell({ type: status === 202 ? "leave.done" : "end.failed", sdkId });
    },
    sendDigits: ({ callId, digits }) => {
      typed += digits;
      const send = async () => {
        await new Promise((resolve) => setTimeout(resolve, KEYS_TOGETHER_MS));
        const [now, rest] = [typed.slice(0, 64), typed.slice(64)];
        typed = rest;
        if (now === "") return;
        const { status, body } = await post(`/api/calls/${callId}/digits`, { digits: now });
        if (status !== 202) tell({ type: "talk.refused", callId, wish: "digits", error: body.error ?? "" });
        if (typed !== "") await send();
      };
      keys = keys.then(send, send);
    },
    fetchOutcome: async ({ callId }) => {
      if (!callId) return;
      const { status, body } = await get(`/api/calls/${callId}`);
      if (status === 200) tell({ type: "call.outcome", callId, outcome: body.outcome });
    },
    noteWarning: ({ callId, code, atMs }) => {
      noted(callId).warnings.push({ code, at: new Date(atMs).toISOString() });
    },
    noteQuality: ({ callId, measured }) => {
      const one = noted(callId);
      one.worst = worse(one.worst, measured);
      if (Date.now() - one.sentAtMs > QUALITY_EVERY_MS) sendQuality(callId);
    },
    sendQuality: ({ callId }) => sendQuality(callId),
    showTargets: async () => {
      const { words } = view.targets;
      const { status, body } = await get(`/api/transfer-targets?q=${encodeURIComponent(words)}`);
      if (words !== view.targets.words) return;
      if (status === 200) view.targets.show(body.results);
      else view.targets.say("away");
    },
  };

  function noted(callId) {
    if (!quality.has(callId)) quality.set(callId, { warnings: [], worst: null, sentAtMs: Date.now() });
    return quality.get(callId);
  }

  function sendQuality(callId) {
    const one = quality.get(callId);
    if (!one || (one.warnings.length === 0 && one.worst === null)) return;
    quality.delete(callId);
    post(`/api/webrtc/calls/${callId}/quality`, { warnings: one.warnings, ...(one.worst ?? {}) }, { keepalive: true });
  }
}

/** The server's talk object as the machine keeps it: its moments by this computer's clock. */
function talkOf({ body, serverMs }) {
  const { consult } = body;
  return {
    direction: body.direction,
    phase: body.phase,
    sinceMs: localMs(body.since, serverMs),
    may: body.may,
    mine: body.mine,
    lead: body.lead,
    inRoom: body.in_room,
    held: body.held,
    serverMuted: body.server_muted,
    messageText: body.message_text,
    recording: body.recording,
    consult: consult && { ...consult, sinceMs: consult.since ? localMs(consult.since, serverMs) : null },
  };
}
