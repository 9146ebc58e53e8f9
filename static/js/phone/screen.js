// What the screen shows for a state. Pure: view.js draws it.

import { hasLiveCall } from "./machine.js";

/** Two heartbeats without an answer: one alone is a hiccup that nobody need read. */
const MISSED_BEATS_SHOWN = 2;

/**
 * Return {stage, say, tone, offers, presence, inCall}.
 * stage: idle, incoming, answering, talking, ending, ended; say: a data-say of templates/phone/_messages.html;
 * tone: good, live, bad, quiet; offers: the button that helps (use-here, retry, log-in), or "".
 */
export function describe(state) {
  const stage = stageOf(state);
  const say = stage === "idle" ? idleWords(state) : callWords(state);
  return {
    stage,
    say,
    tone: toneOf(stage, say),
    offers: OFFERS[say] ?? "",
    presence: state.presence,
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
};

function stageOf({ call }) {
  if (call === null) return "idle";
  return call.phase === "recovering" ? "answering" : call.phase;
}

function idleWords(state) {
  const rows = [
    [state.signedOut, "signed-out"],
    [state.holder === "unknown", "starting"],
    [state.holder === "taking", "connecting"],
    [state.holder === "tab" && state.otherTabBusy, "tab-busy"],
    [state.holder === "tab", "tab"],
    [state.holder === "elsewhere", "elsewhere"],
    [state.microphone === "refused", "microphone-refused"],
    [state.microphone === "missing", "microphone-missing"],
    [state.microphone === "asked", "microphone-asked"],
    [state.beatsMissed >= MISSED_BEATS_SHOWN, "server-away"],
    [state.line === "no-credential", "no-credential"],
    [state.line === "lost", "line-lost"],
    [state.line === "dead", "line-dead"],
    [state.line !== "ready", "connecting"],
    // The tab that talked was closed: the caller is up, and nobody here hears him.
    [state.presence === "ON_CALL", "on-call"],
    [state.intent === "BREAK", "break"],
    [state.intent === "OFFLINE", "offline"],
    [true, "ready"],
  ];
  return rows.find(([isSo]) => isSo)[1];
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
]);

function toneOf(stage, say) {
  if (stage === "incoming" || say === "muted") return "live";
  if (say === "ready" || say === "talking") return "good";
  const isCalm = CALM.has(say) || (stage === "ended" && say !== "ended-lost" && say !== "ended-microphone");
  return isCalm ? "quiet" : "bad";
}
