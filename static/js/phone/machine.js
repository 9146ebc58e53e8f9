// The phone as a table: (state, event) → [state, commands]. Pure: no DOM, no clock, no network, no SDK.
// Commands are plain objects {do: name, …}; phone.js carries them out and turns what comes of them into events.
// Here is who holds the phone, its line, and a call that comes in; the other rows stand in files of their own.

import { isEnding, ON_DESK, withPresence } from "./desk.js";
import { ON_DIALLING } from "./dialling.js";
import { ON_GATE, passing } from "./gate.js";
import { ON_RECORDING } from "./recording.js";
import {
  ANSWER_TIMEOUT_MS,
  BEAT_AGAIN_MS,
  CLAIM_AGAIN_MS,
  DECLINED_FOR_MS,
  END_AFTER_ANSWER_MS,
  hasLiveCall,
  isOurs,
  later,
  LINE_NOTICES_MS,
  LOGGED_OUT,
  MOST_TAKES,
  newCall,
  NOTHING,
  over,
  UNTALKED,
  withCall,
} from "./state.js";
import { isConsulting, ON_TALK } from "./talk.js";

export * from "./state.js";

export function step(state, event) {
  const handle = ON[event.type];
  if (!handle) throw new Error(`the phone knows no event ${event.type}`);
  const [changes, ...commands] = handle(state, event);
  if (changes === null) return [state, commands];
  const [passed, ...asked] = passing({ ...state, ...changes });
  return [Object.freeze(passed), [...commands, ...asked]];
}

const claimAgain = later("claim", CLAIM_AGAIN_MS, { type: "claim.again" });

const ON = {
  ...ON_DESK,
  ...ON_DIALLING,
  ...ON_GATE,
  ...ON_RECORDING,
  ...ON_TALK,

  // ---- Who holds the phone ------------------------------------------------------------------------------------
  start: () => [{}, { do: "checkMicrophone" }, { do: "askForLock" }],
  "lock.here": (state, { takeOver = false }) => [
    { holder: takeOver ? "taking" : "here", takesFailed: 0 },
    { do: "claim", takeOver },
  ],
  "lock.tab": (state) => [{ holder: "tab" }],
  "lock.lost": (state) => [
    { holder: "tab", line: "off", call: null, ...UNTALKED },
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
  "beat.answered": (state, { presence, phone, oursUs, rttMs = null }) => {
    const isLost = phone === "elsewhere" && state.holder === "here" && oursUs === state.oursUs;
    const [given, ...putDown] = isLost ? givenUp(state) : [{}];
    const [told, ...asked] = withPresence({ ...state, ...given }, presence);
    return [{ ...given, ...told, beatsMissed: 0, rttMs }, ...putDown, ...asked];
  },
  "beat.failed": (state) => [
    { beatsMissed: state.beatsMissed + 1 },
    later("beat", BEAT_AGAIN_MS, { type: "beat.again" }),
  ],
  "beat.again": () => [{}, { do: "beat" }],
  "beat.refused": () => [{}, { do: "renewToken" }],

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
  "answer.no-microphone": (state, event) => {
    if (!isOurs(state, event)) return NOTHING;
    const refused = { ...withCall(state, { why: "microphone" }), microphone: "refused" };
    if (!state.call.isOut) return [refused, { do: "beat" }];
    // Nothing was sent of a call that this browser could not begin.
    const [changes, ...commands] = over({ ...state, ...refused }, "microphone");
    return [{ ...refused, ...changes }, { do: "endLocally", sdkId: event.sdkId }, ...commands];
  },
  "call.active": (state, event) => {
    if (!isOurs(state, event)) return NOTHING;
    // The agent pressed End while it was still being answered.
    if (state.call.phase === "ending") return [{}, { do: "hangup", sdkId: event.sdkId }];
    const again = state.call.phase === "talking";
    // A call out is active as soon as its room answers; when somebody answers there, the server says.
    const answeredAtMs = state.call.isOut ? state.call.answeredAtMs : (state.call.answeredAtMs ?? event.atMs);
    return [
      withCall(state, { phase: "talking", answeredAtMs }),
      { do: "silence" },
      { do: "forget", name: "answer" },
      ...(state.call.muted ? [{ do: "mute", sdkId: event.sdkId, muted: true }] : []),
      ...(again ? [] : [{ do: "reportIds", sdkId: event.sdkId, callId: state.call.callId }]),
      { do: "showCaller", callId: state.call.callId, sdkId: event.sdkId },
      { do: "fetchTalk", callId: state.call.callId },
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
    if (!["announcing", "placing", "answering", "talking", "recovering"].includes(state.call?.phase)) return NOTHING;
    const { sdkId, callId, pressedAtMs } = state.call;
    if (pressedAtMs !== null && atMs - pressedAtMs < END_AFTER_ANSWER_MS) return NOTHING;
    return [
      { ...withCall(state, { phase: "ending" }), panel: "" },
      { do: "silence" },
      // Whoever pressed End is not heard any more, however long the server takes.
      { do: "mute", sdkId, muted: true },
      ...goodbye(state),
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
    // Muted by the server, it is the server that lets the agent be heard again.
    if (state.talk?.serverMuted) return ON_TALK["talk.wish"](state, { wish: "unmute" });
    const muted = !state.call.muted;
    return [
      {
        ...withCall(state, { muted }),
        troubles: Object.freeze(state.troubles.filter((one) => one !== "quiet-microphone")),
      },
      { do: "mute", sdkId: state.call.sdkId, muted },
    ];
  },
  // In a room there is no other leg that the line's keys would reach: the server presses them for the customer.
  digits: (state, { digits }) => {
    if (state.call?.phase !== "talking") return NOTHING;
    const { sdkId, callId } = state.call;
    return [{}, state.talk?.inRoom ? { do: "sendDigits", callId, digits } : { do: "digits", sdkId, digits }];
  },
};

/** How this phone leaves the call: for everybody, or, where others go on without it, alone. */
function goodbye({ call, talk }) {
  const { sdkId, callId } = call;
  // Without an id of ours nothing has left this browser yet.
  if (call.phase === "announcing") return [];
  // Whoever was asked takes nobody along.
  if (isConsulting(talk) && !talk.mine) return [{ do: "hangup", sdkId }];
  return [{ do: isConsulting(talk) ? "leave" : "endByServer", sdkId, callId }];
}

function invited(state, { sdkId, callId, recovered, muted = false, atMs }) {
  const { call } = state;
  if (hasLiveCall(state) && call.sdkId === sdkId) return NOTHING;
  if (recovered) {
    // It outlived a reload or a lost socket: nobody is rung for it again.
    if (hasLiveCall(state)) return [{}, { do: "hangup", sdkId }];
    return [
      {
        ...UNTALKED,
        call: Object.freeze({ ...newCall({ sdkId, callId, phase: "recovering" }), muted }),
        held: null,
        endedCallId: "",
      },
      { do: "forget", name: "ended" },
      { do: "showCaller", callId, sdkId },
      { do: "fetchTalk", callId },
    ];
  }
  if (stillDeclined(state, atMs).some((one) => callId && one.callId === callId)) return [{}, { do: "hangup", sdkId }];
  if (hasLiveCall(state)) {
    const isTheSameRinging = callId && call.callId === callId && call.phase === "incoming";
    // The provider sent the invite again under another id: the older one is dead.
    if (isTheSameRinging) {
      return [withCall(state, { sdkId }), { do: "endLocally", sdkId: call.sdkId }, { do: "reportIds", sdkId, callId }];
    }
    // He is rung for the call that he believes to be on: its line was lost, and his customer waits for him.
    if (callId && call.callId === callId && ["talking", "recovering"].includes(call.phase)) {
      const [ring, ...commands] = rung(state, { sdkId, callId });
      return [ring, { do: "endLocally", sdkId: call.sdkId }, ...commands];
    }
    return [{}, { do: "hangup", sdkId }];
  }
  return rung(state, { sdkId, callId });
}

function rung(state, { sdkId, callId }) {
  return [
    { ...UNTALKED, call: newCall({ sdkId, callId, phase: "incoming" }), held: null, endedCallId: "" },
    { do: "forget", name: "ended" },
    { do: "showCaller", callId, sdkId },
    // A colleague may be the one who asks.
    { do: "fetchTalk", callId },
    { do: "ring" },
    { do: "reportIds", sdkId, callId },
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

function afterTheCall(state) {
  const isOver = state.holder === "elsewhere" || state.signedOut;
  return isOver ? [{ call: null, line: "off" }, { do: "disconnect" }] : [{ call: null }];
}

function stillDeclined(state, atMs) {
  return state.declined.filter((one) => one.untilMs > atMs);
}
