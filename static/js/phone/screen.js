// What the screen shows for a state. Pure: view.js draws it.

import { kindOf } from "./desk.js";
import { hasLiveCall } from "./state.js";
import { isConsulting } from "./talk.js";

/** Two heartbeats without an answer: one alone is a hiccup that nobody need read. */
const MISSED_BEATS_SHOWN = 2;

/**
 * Return {stage, say, tone, offers, presence, inCall, trouble}.
 * stage: idle, incoming, answering, dialling, talking, ending, ended; say: a data-say of templates/phone/_messages.html;
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
    trouble: state.troubles[0] ?? "",
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

function stageOf({ call, talk }) {
  if (call === null) return "idle";
  if (call.phase === "recovering") return "answering";
  if (call.phase === "announcing" || call.phase === "placing") return "dialling";
  // The room has answered, the customer has not.
  const isDialling = call.isOut && call.answeredAtMs === null && (talk === null || talk.phase === "DIALLING");
  return call.phase === "talking" && isDialling ? "dialling" : call.phase;
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
    [!state.gate.isPassed, "check-devices"],
    [state.presence === "WRAP_UP", "wrap-up"],
    [state.presence === "NOT_RESPONDING", "not-responding"],
    [kindOf(state.intent) === "BREAK", "break"],
    [state.intent === "OFFLINE", "offline"],
    [state.troubles.length > 0, "degraded"],
    [true, "ready"],
  ];
  return rows.find(([isSo]) => isSo)[1];
}

function isTheOneThatEnded({ endedCallId, held }) {
  return endedCallId !== "" && (held === null || held.callId === endedCallId);
}

function callWords(state) {
  const { phase, why } = state.call;
  if (phase === "ended") return why ? `ended-${why}` : "ended";
  if (phase === "announcing" || phase === "placing") return "dialling";
  if (phase !== "talking") return phase;
  const rows = [
    [state.line !== "ready", "line-lost-in-call"],
    [state.beatsMissed >= MISSED_BEATS_SHOWN, "server-away-in-call"],
    [stageOf(state) === "dialling", "dialling"],
    [talkWords(state) !== "", talkWords(state)],
    [state.call.muted, "muted"],
    [true, "talking"],
  ];
  return rows.find(([isSo]) => isSo)[1];
}

/** What the server knows of a conversation beyond that the two talk, or "". */
function talkWords({ talk }) {
  if (talk === null) return "";
  if (!isConsulting(talk)) return { PROMOTING: "moving", HELD: "held", TRANSFERRING: "transferring" }[talk.phase] ?? "";
  // Whoever is asked hears other things than who asks.
  const [asks, isAsked] = {
    CONSULT_RINGING: ["consult-ringing", "consulted"],
    CONSULTING: ["consulting", "consulted"],
    SWAPPED: ["swapped", "consulted-waits"],
    MERGED: ["merged", "merged"],
  }[talk.phase];
  return talk.mine ? asks : isAsked;
}

const CALM = new Set([
  "starting",
  "no-credential",
  "connecting",
  "break",
  "offline",
  "answering",
  "recovering",
  "dialling",
  "moving",
  "transferring",
  "wrap-up",
  "ended-busy",
  "ended-no-answer",
  "ending",
  "ended",
]);

/** Somebody hears music, or is not heard. */
const LIVE = new Set(["muted", "held", "consult-ringing", "consulting", "consulted", "consulted-waits", "swapped"]);
const GOOD = new Set(["ready", "talking", "merged"]);

function toneOf(stage, say) {
  if (stage === "incoming" || LIVE.has(say)) return "live";
  if (GOOD.has(say)) return "good";
  const isCalm =
    CALM.has(say) || (stage === "ended" && !["ended-lost", "ended-microphone", "ended-failed"].includes(say));
  return isCalm ? "quiet" : "bad";
}
