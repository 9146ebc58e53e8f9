// What the phone remembers, and the words that its tables share. Pure: no DOM, no clock, no network, no SDK.

/** How long the last word about a call stays on the screen. */
export const ENDED_SHOWN_MS = 4_000;
/** A call that the agent declined is not rung again by the provider's retry of the same invite. */
export const DECLINED_FOR_MS = 10_000;
/** The server says the call is over, the line does not: the line gets this long to notice. */
export const LINE_NOTICES_MS = 3_000;
/** Without sound after this long the answer has failed (no usable network path). */
export const ANSWER_TIMEOUT_MS = 20_000;
/** End stands where Answer stood: the second half of a double click must not throw the caller away. */
export const END_AFTER_ANSWER_MS = 800;
/** What the server calls the phone of somebody who logged out (agents.operations). */
export const LOGGED_OUT = "logged-out";
export const CLAIM_AGAIN_MS = 5_000;
/** Who said "use the phone here" is not asked to say it again before so many tries have failed: a minute, or more. */
export const MOST_TAKES = 12;
export const BEAT_AGAIN_MS = 3_000;

/**
 * holder      who holds this agent's phone: unknown, here, tab (of this browser), elsewhere, taking (asked for it, and
 *             asks on until the server grants it)
 * takesFailed how often the server did not grant what was asked for while taking
 * oursUs      when this browser was last granted the phone, theirsUs when another was (0: not that we heard), by the
 *             database's clock (agents.operations.claim_phone): the greater one holds it, whichever we hear first
 * line        the SDK's connection: off, connecting, ready, lost (reconnects by itself), dead, no-credential
 * microphone  unknown, asked, granted, refused, missing
 * beatsMissed heartbeats in a row that the server did not answer
 * choosing    the intent that the server has not confirmed yet, or ""
 * intent      what the person chose: AVAILABLE, OFFLINE, BREAK, or BREAK:<code of its reason>
 * call        null, or {sdkId, callId, isOut, number, phase, muted, why, pressedAtMs (Answer), answeredAtMs}; phases: incoming →
 *             answering → talking → ending → ended; announcing → placing → talking for one that is placed here; and
 *             recovering for a call that outlived a reload
 * talk        what the server says of that call (talk.js), or null
 * wish        what was asked of the server about it and is not answered yet, or ""
 * switching   whether the server was asked to pause the recording, or to go on, and has not answered yet
 * refused     the server's sentence about the last wish that it refused, or ""
 * panel       what stands open beside the call: "", keypad, transfer
 * dial        {isOpen, error, field}: the dial pad, and why the last number was refused
 * desk        what the server says of the person: {pending, breaks, break, wrapUp}, and {saving, error, field} of the form
 * gate        the check of the devices (gate.js)
 * socketIsUp  whether pushes come; rttMs how long the last heartbeat was on its way
 * troubles    why no sound comes through (gate.js): the heartbeat then says that this phone is degraded
 * held        null, or {callId, ending}: the call that the server has this agent on, while none is up in this tab
 * endedCallId the call that was talked on here last; the server hears of its end a moment later than we do
 */
export const INITIAL = Object.freeze({
  holder: "unknown",
  takesFailed: 0,
  oursUs: 0,
  theirsUs: 0,
  otherTabBusy: false,
  line: "off",
  microphone: "unknown",
  beatsMissed: 0,
  signedOut: false,
  presence: "",
  intent: "AVAILABLE",
  choosing: "",
  call: null,
  held: null,
  endedCallId: "",
  declined: Object.freeze([]),
  talk: null,
  wish: "",
  switching: false,
  refused: "",
  panel: "",
  dial: Object.freeze({ isOpen: false, error: "", field: "" }),
  desk: Object.freeze({ pending: null, breaks: [], break: null, wrapUp: null, saving: "", error: "", field: "" }),
  gate: Object.freeze({ isPassed: false, isOpen: true, level: "unknown", sound: "unknown", notifications: "unknown" }),
  socketIsUp: false,
  rttMs: null,
  troubles: Object.freeze([]),
});

/** What the heartbeat may claim: the agent is rung only while all of it is true. */
export function isReady(state) {
  return state.holder === "here" && state.line === "ready" && !state.signedOut && state.gate.isPassed;
}

export function isDegraded(state) {
  return state.troubles.length > 0;
}

export function hasLiveCall(state) {
  return state.call !== null && state.call.phase !== "ended";
}

/** The answer of a handler that changes nothing. */
export const NOTHING = [null];
export const later = (name, afterMs, event) => ({ do: "later", name, afterMs, event });
export const withCall = (state, changes) => ({ call: Object.freeze({ ...state.call, ...changes }) });
export const isOurs = (state, event) => hasLiveCall(state) && state.call.sdkId === event.sdkId;

export function newCall({ sdkId, callId, phase, isOut = false, number = "" }) {
  const silent = { muted: false, why: "", pressedAtMs: null, answeredAtMs: null };
  return Object.freeze({ sdkId, callId, phase, isOut, number, ...silent });
}

/** A call begins with nothing said of it. */
export const UNTALKED = Object.freeze({ talk: null, wish: "", switching: false, refused: "", panel: "" });

export function over(state, why) {
  // A line that was lost does not know whether the caller is still there.
  const wasTalkedOn = state.call.answeredAtMs !== null && why !== "lost";
  // Of a call out that nobody answered the server knows why; of one that the agent gave up there is nothing to ask.
  const isAsked = state.call.isOut && state.call.answeredAtMs === null && !why && state.call.phase !== "ending";
  return [
    {
      ...withCall(state, { phase: "ended", why }),
      ...UNTALKED,
      endedCallId: wasTalkedOn ? state.call.callId : "",
      troubles: withoutLine(state.troubles),
    },
    { do: "silence" },
    { do: "forget", name: "answer" },
    { do: "forget", name: "notice" },
    { do: "forget", name: "talk" },
    ...(isAsked ? [{ do: "fetchOutcome", callId: state.call.callId }] : []),
    { do: "beat" },
    later("ended", ENDED_SHOWN_MS, { type: "ended.seen" }),
  ];
}

/** What the line gave no sound of is over with its call; a silent microphone is still silent. */
export function withoutLine(troubles) {
  return Object.freeze(troubles.filter((one) => one === "quiet-microphone" || one === "asleep"));
}
