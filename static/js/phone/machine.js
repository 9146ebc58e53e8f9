// The phone as a table: (state, event) → [state, commands]. Pure: no DOM, no clock, no network, no SDK.
// Commands are plain objects {do: name, …}; phone.js carries them out and turns what comes of them into events.

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
 * call        null, or {sdkId, callId, phase, muted, why, pressedAtMs (Answer), answeredAtMs}; phases: incoming → answering → talking →
 *             ending → ended, and recovering for a call that outlived a reload
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
});

export function step(state, event) {
  const handle = ON[event.type];
  if (!handle) throw new Error(`the phone knows no event ${event.type}`);
  const [changes, ...commands] = handle(state, event);
  return [changes === null ? state : Object.freeze({ ...state, ...changes }), commands];
}

/** What the heartbeat may claim: the agent is rung only while both are true. */
export function isReady(state) {
  return state.holder === "here" && state.line === "ready" && !state.signedOut;
}

export function hasLiveCall(state) {
  return state.call !== null && state.call.phase !== "ended";
}

const NOTHING = [null];
const later = (name, afterMs, event) => ({ do: "later", name, afterMs, event });
const claimAgain = later("claim", CLAIM_AGAIN_MS, { type: "claim.again" });
const withCall = (state, changes) => ({ call: Object.freeze({ ...state.call, ...changes }) });
const isOurs = (state, event) => hasLiveCall(state) && state.call.sdkId === event.sdkId;

const ON = {
  // ---- Who holds the phone ------------------------------------------------------------------------------------
  start: () => [{}, { do: "checkMicrophone" }, { do: "askForLock" }],
  "lock.here": (state, { takeOver = false }) => [
    { holder: takeOver ? "taking" : "here", takesFailed: 0 },
    { do: "claim", takeOver },
  ],
  "lock.tab": (state) => [{ holder: "tab" }],
  "lock.lost": (state) => [
    { holder: "tab", line: "off", call: null },
    { do: "silence" },
    { do: "disconnect" },
    { do: "forget", name: "claim" },
  ],
  "tab.told": (state, { busy }) => [{ otherTabBusy: busy }],
  "claim.granted": (state, { claimedUs }) => {
    const oursUs = Math.max(state.oursUs, claimedUs);
    // Another tab of this browser, or another computer, was quicker to take it than the answer to come.
    if (state.holder === "tab") return [{ oursUs }];
    if (state.theirsUs > oursUs) return state.signedOut ? [{ oursUs }] : givenUp(state, { oursUs });
    return [
      { holder: "here", takesFailed: 0, oursUs, line: "connecting", signedOut: false },
      { do: "forget", name: "claim" },
      { do: "connect" },
    ];
  },
  // `oursUs` is what it was when the server was asked: what it said of an older grant says nothing of this one.
  "claim.elsewhere": (state, { oursUs }) => {
    if (state.holder === "taking") return NOTHING;
    if (oursUs === state.oursUs) return givenUp(state);
    return state.holder === "here" && state.line !== "ready" ? [{}, claimAgain] : NOTHING;
  },
  // A call that is up is finished first: logging out ends no conversation.
  "claim.signed-out": (state) => signedOut(state),
  "claim.no-credential": (state) => {
    if (state.holder === "taking") return takeAgain(state, "no-credential");
    return state.holder === "here" ? [{ line: "no-credential" }, claimAgain] : NOTHING;
  },
  "claim.failed": (state) => {
    if (state.holder === "taking") return takeAgain(state, "off");
    if (state.holder !== "here") return NOTHING;
    return [{ line: state.line === "off" || state.line === "connecting" ? "dead" : state.line }, claimAgain];
  },
  "claim.again": (state) => {
    if (state.holder === "taking") return [{}, { do: "claim", takeOver: true }];
    if (state.holder !== "here" || state.line === "ready") return NOTHING;
    // A new client would cut the sound of the call that is up: the old one gets a new token instead, and tries on.
    if (hasLiveCall(state)) return [{}, { do: "renewToken" }, claimAgain];
    return [{}, { do: "claim", takeOver: false }];
  },
  "phone.claimed": (state, { phoneId, mine, claimedUs }) => {
    if (phoneId === mine) return claimedUs > state.oursUs ? [{ oursUs: claimedUs }] : NOTHING;
    // Pushes overtake each other and our own requests: what came before our grant has had its time.
    if (!(claimedUs > state.oursUs)) return NOTHING;
    const theirsUs = Math.max(state.theirsUs, claimedUs);
    // Nobody's phone any more: the person has logged out, here or in another tab.
    return phoneId === LOGGED_OUT ? signedOut(state, { theirsUs }) : givenUp(state, { theirsUs });
  },
  "use.here": (state) => {
    if (state.holder === "tab" && !state.otherTabBusy)
      return [{ holder: "taking", takesFailed: 0 }, { do: "stealLock" }];
    if (state.holder === "elsewhere")
      return [
        { holder: "taking", takesFailed: 0 },
        { do: "claim", takeOver: true },
      ];
    return NOTHING;
  },
  retry: (state) => [
    {},
    { do: "checkMicrophone" },
    ...(state.holder === "here" && state.line !== "ready" ? [{ do: "claim", takeOver: false }] : []),
  ],

  // ---- The line, the microphone, the server -------------------------------------------------------------------
  "line.ready": () => [{ line: "ready" }, { do: "beat" }],
  "line.lost": (state) => (state.line === "off" ? NOTHING : [{ line: "lost" }, { do: "beat" }]),
  "line.dead": (state) => (state.line === "off" ? NOTHING : [{ line: "dead" }, { do: "beat" }, claimAgain]),
  "token.expiring": (state) => (state.holder === "here" ? [{}, { do: "renewToken" }] : NOTHING),
  microphone: (state, { is }) => (is === state.microphone ? NOTHING : [{ microphone: is }, { do: "beat" }]),
  "beat.answered": (state, { presence, phone, oursUs }) => {
    const isLost = phone === "elsewhere" && state.holder === "here" && oursUs === state.oursUs;
    const [given, ...putDown] = isLost ? givenUp(state) : [{}];
    const [told, ...asked] = withPresence({ ...state, ...given }, presence);
    return [{ ...given, ...told, beatsMissed: 0 }, ...putDown, ...asked];
  },
  "beat.failed": (state) => [
    { beatsMissed: state.beatsMissed + 1 },
    later("beat", BEAT_AGAIN_MS, { type: "beat.again" }),
  ],
  "beat.again": () => [{}, { do: "beat" }],
  "beat.refused": () => [{}, { do: "renewToken" }],

  // ---- What the agent chose -----------------------------------------------------------------------------------
  "intent.chosen": (state, { intent }) => chosen(state, intent),
  // Two calls in a row were not answered; the server rings again as soon as the agent says that he is there.
  "i.am.back": (state) => (state.choosing ? NOTHING : chosen(state, "AVAILABLE")),
  "intent.kept": (state, { intent, presence }) => {
    const [changes, ...commands] = withPresence(state, presence);
    return [{ ...changes, choosing: stillChoosing(state, intent) }, ...commands];
  },
  "intent.failed": (state, { intent, before }) => {
    // He has chosen another one since.
    if (state.choosing !== intent) return NOTHING;
    return [{ intent: before, choosing: "" }, ...(state.signedOut ? [] : [{ do: "tellServerIsAway" }])];
  },
  presence: (state, { presence }) => withPresence(state, presence),
  // What the server knows, asked for when a page begins and when something was chosen in another one.
  me: (state, { presence, intent, callId }) => {
    const [changes] = withPresence(state, presence);
    const held = callId && !hasLiveCall(state) ? Object.freeze({ callId, ending: isEnding(state, callId) }) : null;
    return [{ ...changes, intent: state.choosing || intent, held }];
  },

  // ---- A call whose sound is nowhere any more: the tab that talked was closed ------------------------------------
  "end.held": (state) => {
    if (state.held === null || state.held.ending) return NOTHING;
    const { callId } = state.held;
    return [{ held: Object.freeze({ callId, ending: true }) }, { do: "endHeld", callId }];
  },
  "end.held.done": (state, { callId }) =>
    isEnding(state, callId) ? [{ held: null, endedCallId: callId }, { do: "beat" }] : NOTHING,
  "end.held.failed": (state, { callId }) =>
    isEnding(state, callId)
      ? [{ held: Object.freeze({ callId, ending: false }) }, { do: "tellServerIsAway" }]
      : NOTHING,

  // ---- A call -------------------------------------------------------------------------------------------------
  invite: (state, event) => invited(state, event),
  answer: (state, { atMs = null }) =>
    state.call?.phase === "incoming"
      ? [
          withCall(state, { phase: "answering", pressedAtMs: atMs }),
          { do: "silence" },
          { do: "answer", sdkId: state.call.sdkId },
          later("answer", ANSWER_TIMEOUT_MS, { type: "answer.stuck", sdkId: state.call.sdkId }),
        ]
      : NOTHING,
  "answer.stuck": (state, event) =>
    isOurs(state, event) && state.call.phase === "answering"
      ? [withCall(state, { phase: "ending", why: "lost" }), { do: "hangup", sdkId: event.sdkId }]
      : NOTHING,
  "answer.no-microphone": (state, event) =>
    isOurs(state, event)
      ? [{ ...withCall(state, { why: "microphone" }), microphone: "refused" }, { do: "beat" }]
      : NOTHING,
  "call.active": (state, event) => {
    if (!isOurs(state, event)) return NOTHING;
    // The agent pressed End while it was still being answered.
    if (state.call.phase === "ending") return [{}, { do: "hangup", sdkId: event.sdkId }];
    const again = state.call.phase === "talking";
    return [
      withCall(state, { phase: "talking", answeredAtMs: state.call.answeredAtMs ?? event.atMs }),
      { do: "silence" },
      { do: "forget", name: "answer" },
      ...(state.call.muted ? [{ do: "mute", sdkId: event.sdkId, muted: true }] : []),
      ...(again ? [] : [{ do: "reportIds", sdkId: event.sdkId, callId: state.call.callId }]),
      { do: "showCaller", callId: state.call.callId, sdkId: event.sdkId },
      { do: "beat" },
    ];
  },
  "call.answered-at": (state, { callId, atMs }) =>
    hasLiveCall(state) && state.call.callId === callId ? [withCall(state, { answeredAtMs: atMs })] : NOTHING,
  decline: (state, { atMs }) => {
    if (state.call?.phase !== "incoming") return NOTHING;
    const { sdkId, callId } = state.call;
    const declined = [...stillDeclined(state, atMs), { callId, untilMs: atMs + DECLINED_FOR_MS }];
    return [
      { ...withCall(state, { phase: "ending", why: "declined" }), declined },
      { do: "silence" },
      { do: "decline", sdkId, callId },
    ];
  },
  // The outcome is recorded first, so that our own leg's end is not taken for a missed call.
  "decline.told": (state, event) => (isOurs(state, event) ? [{}, { do: "hangup", sdkId: event.sdkId }] : NOTHING),
  end: (state, { atMs = Infinity }) => {
    if (!["answering", "talking", "recovering"].includes(state.call?.phase)) return NOTHING;
    const { sdkId, callId, pressedAtMs } = state.call;
    if (pressedAtMs !== null && atMs - pressedAtMs < END_AFTER_ANSWER_MS) return NOTHING;
    return [
      withCall(state, { phase: "ending" }),
      { do: "silence" },
      // Whoever pressed End is not heard any more, however long the server takes.
      { do: "mute", sdkId, muted: true },
      { do: "endByServer", sdkId, callId },
    ];
  },
  "end.done": (state, event) => (isOurs(state, event) ? [{}, { do: "endLocally", sdkId: event.sdkId }] : NOTHING),
  "end.failed": (state, event) => (isOurs(state, event) ? [{}, { do: "hangup", sdkId: event.sdkId }] : NOTHING),
  "call.over": (state, event) => (isOurs(state, event) ? over(state, whyOver(state.call, event)) : NOTHING),
  // Pushes of the server about this call. The line hears the same by itself, unless it is interrupted just then.
  "server.call-ended": (state, { callId }) =>
    hasLiveCall(state) && state.call.callId === callId
      ? [{}, later("notice", LINE_NOTICES_MS, { type: "line.did-not-notice", callId })]
      : NOTHING,
  "server.offer-ended": (state, { callId }) =>
    state.call?.phase === "incoming" && state.call.callId === callId
      ? [{}, later("notice", LINE_NOTICES_MS, { type: "line.did-not-notice", callId, only: "incoming" })]
      : NOTHING,
  "line.did-not-notice": (state, { callId, only }) => {
    if (!hasLiveCall(state) || state.call.callId !== callId || (only && state.call.phase !== only)) return NOTHING;
    const { sdkId } = state.call;
    const [changes, ...commands] = over(state, state.call.phase === "incoming" ? "caller-left" : "");
    return [changes, { do: "endLocally", sdkId }, ...commands];
  },
  "ended.seen": (state) => (state.call?.phase === "ended" ? afterTheCall(state) : NOTHING),
  mute: (state) => {
    if (state.call?.phase !== "talking") return NOTHING;
    const muted = !state.call.muted;
    return [withCall(state, { muted }), { do: "mute", sdkId: state.call.sdkId, muted }];
  },
  digit: (state, { digit }) =>
    state.call?.phase === "talking" ? [{}, { do: "digit", sdkId: state.call.sdkId, digit }] : NOTHING,
};

function invited(state, { sdkId, callId, recovered, active, atMs }) {
  const { call } = state;
  if (hasLiveCall(state) && call.sdkId === sdkId) return NOTHING;
  if (recovered) {
    // It outlived a reload or a lost socket: nobody is rung for it again.
    if (hasLiveCall(state)) return [{}, { do: "hangup", sdkId }];
    return [
      { call: newCall({ sdkId, callId, phase: "recovering" }), held: null, endedCallId: "" },
      { do: "forget", name: "ended" },
      { do: "showCaller", callId, sdkId },
    ];
  }
  if (stillDeclined(state, atMs).some((one) => callId && one.callId === callId)) return [{}, { do: "hangup", sdkId }];
  if (hasLiveCall(state)) {
    const isTheSameRinging = callId && call.callId === callId && call.phase === "incoming";
    // The provider sent the invite again under another id: the older one is dead.
    if (isTheSameRinging) {
      return [withCall(state, { sdkId }), { do: "endLocally", sdkId: call.sdkId }, { do: "reportIds", sdkId, callId }];
    }
    return [{}, { do: "hangup", sdkId }];
  }
  return [
    { call: newCall({ sdkId, callId, phase: "incoming" }), held: null, endedCallId: "" },
    { do: "forget", name: "ended" },
    { do: "showCaller", callId, sdkId },
    { do: "ring" },
    { do: "reportIds", sdkId, callId },
  ];
}

function newCall({ sdkId, callId, phase }) {
  return Object.freeze({ sdkId, callId, phase, muted: false, why: "", pressedAtMs: null, answeredAtMs: null });
}

function over(state, why) {
  // A line that was lost does not know whether the caller is still there.
  const wasTalkedOn = state.call.answeredAtMs !== null && why !== "lost";
  return [
    { ...withCall(state, { phase: "ended", why }), endedCallId: wasTalkedOn ? state.call.callId : "" },
    { do: "silence" },
    { do: "forget", name: "answer" },
    { do: "forget", name: "notice" },
    { do: "beat" },
    later("ended", ENDED_SHOWN_MS, { type: "ended.seen" }),
  ];
}

function whyOver(call, { cause, sipCode }) {
  if (call.why) return call.why;
  if (call.phase === "incoming" || call.phase === "answering") {
    return cause === "LOSE_RACE" || Number(sipCode) === 502 ? "taken" : "caller-left";
  }
  return cause === "SESSION_NOT_REATTACHED" ? "lost" : "";
}

/** Another browser has the phone now. A call that is up here is finished first: nobody is cut off. */
function givenUp(state, noted = {}) {
  if (state.holder === "tab") return [noted];
  if (hasLiveCall(state)) return [{ ...noted, holder: "elsewhere" }];
  return [{ ...noted, holder: "elsewhere", line: "off" }, { do: "disconnect" }, { do: "forget", name: "claim" }];
}

function signedOut(state, noted = {}) {
  if (hasLiveCall(state)) return [{ ...noted, signedOut: true }];
  return [{ ...noted, signedOut: true, line: "off" }, { do: "disconnect" }];
}

/** The person wants the phone here, and it is not his fault that he has not got it. */
function takeAgain(state, line) {
  const takesFailed = state.takesFailed + 1;
  if (takesFailed < MOST_TAKES) return [{ takesFailed, line }, claimAgain];
  return [{ holder: "elsewhere", takesFailed: 0, line: "off" }, { do: "tellServerIsAway" }];
}

/** The server's word. Who is on a call of which nothing is known here asks which one it is. */
function withPresence(state, presence) {
  if (presence !== "ON_CALL") return [{ presence, held: null, endedCallId: "" }];
  const isUnknown = state.holder === "here" && state.held === null && !hasLiveCall(state);
  return [{ presence }, ...(isUnknown ? [{ do: "fetchMe" }] : [])];
}

function chosen(state, intent) {
  return [
    { intent, choosing: intent },
    { do: "chooseIntent", intent, before: state.intent },
  ];
}

function stillChoosing(state, kept) {
  return state.choosing === kept ? "" : state.choosing;
}

function isEnding({ held }, callId) {
  return held !== null && held.ending && held.callId === callId;
}

function afterTheCall(state) {
  const isOver = state.holder === "elsewhere" || state.signedOut;
  return isOver ? [{ call: null, line: "off" }, { do: "disconnect" }] : [{ call: null }];
}

function stillDeclined(state, atMs) {
  return state.declined.filter((one) => one.untilMs > atMs);
}
