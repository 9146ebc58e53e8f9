// What the screen shows for a state. Pure: view.js draws it.

import { hasLiveCall } from "./machine.js";

/** Two heartbeats without an answer: one alone is a hiccup that nobody need read. */
const MISSED_BEATS_SHOWN = 2;

/**
 * Return {stage, say, tone, offers, presence, inCall}.
 * stage: idle, incoming, answering, talking, ending, ended; say: a data-say of templates/phone/_messages.html;
 * tone: good, live, bad, quiet; offers: the button that helps (use-here, retry, log-in, i-am-back, end-held), or "".
 */
export function describe(state) {
  const stage = stageOf(state);
  const say = stage === "idle" ? idleWords(state) : callWords(state);
  return {
    stage,
    say,
    tone: toneOf(stage, say),
    offers: say === "on-call" && state.held === null ? "" : (OFFERS[say] ?? ""),
    presence: presenceOf(state),
    inCall: hasLiveCall(state),
  };
}

const OFFERS = {
  tab: "use-here",
  elsewhere: "use-here",
  "microphone-refused": "retry",
  "microphone-missing": "retry",
  "line-dead": "retry",
  "signed-out": "log-in",
  "on-call": "end-held",
  "not-responding": "i-am-back",
};

/** The server's word, but of the call that is up here nobody knows more than this page: what it does is the word. */
function presenceOf({ call, presence }) {
  if (call === null || call.phase === "ended" || call.why === "declined") return presence;
  return call.phase === "incoming" ? "RINGING" : "ON_CALL";
}

function stageOf({ call }) {
  if (call === null) return "idle";
  return call.phase === "recovering" ? "answering" : call.phase;
}

function idleWords(state) {
  const rows = [
    [state.signedOut, "signed-out"],
    [state.holder === "unknown", "starting"],
    [state.holder === "taking" && state.line === "no-credential", "no-credential"],
    [state.holder === "taking" && state.takesFailed > 0, "server-away"],
    [state.holder === "taking", "connecting"],
    [state.holder === "tab" && state.otherTabBusy, "tab-busy"],
    [state.holder === "tab", "tab"],
    [state.holder === "elsewhere", "elsewhere"],
    // The server has not said yet that the phone is here: what is wrong here may be nobody's trouble.
    [state.line === "off", "connecting"],
    [state.microphone === "refused", "microphone-refused"],
    [state.microphone === "missing", "microphone-missing"],
    [state.microphone === "asked", "microphone-asked"],
    [state.beatsMissed >= MISSED_BEATS_SHOWN, "server-away"],
    [state.line === "no-credential", "no-credential"],
    [state.line === "lost", "line-lost"],
    [state.line === "dead", "line-dead"],
    [state.line !== "ready", "connecting"],
    [state.held?.ending, "ending"],
    // It is over here, and the server is about to hear of it.
    [state.presence === "ON_CALL" && isTheOneThatEnded(state), "ended"],
    // The tab that talked was closed: the caller is up, and nobody here hears him.
    [state.presence === "ON_CALL", "on-call"],
    [state.presence === "NOT_RESPONDING", "not-responding"],
    [state.intent === "BREAK", "break"],
    [state.intent === "OFFLINE", "offline"],
    [true, "ready"],
  ];
  return rows.find(([isSo]) => isSo)[1];
}

function isTheOneThatEnded({ endedCallId, held }) {
  return endedCallId !== "" && (held === null || held.callId === endedCallId);
}

function callWords(state) {
  const { phase, why, muted } = state.call;
  if (phase === "ended") return why ? `ended-${why}` : "ended";
  if (phase === "talking" && state.line !== "ready") return "line-lost-in-call";
  if (phase === "talking" && state.beatsMissed >= MISSED_BEATS_SHOWN) return "server-away-in-call";
  if (phase === "talking" && muted) return "muted";
  return phase;
}

const CALM = new Set([
  "starting",
  "no-credential",
  "connecting",
  "break",
  "offline",
  "answering",
  "recovering",
  "ending",
  "ended",
]);

function toneOf(stage, say) {
  if (stage === "incoming" || say === "muted") return "live";
  if (say === "ready" || say === "talking") return "good";
  const isCalm = CALM.has(say) || (stage === "ended" && say !== "ended-lost" && say !== "ended-microphone");
  return isCalm ? "quiet" : "bad";
}
