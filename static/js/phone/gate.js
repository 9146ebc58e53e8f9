// Whether this desk can telephone: microphone, loudspeaker and connection are tried before the first call rings, and sound
// that fails afterwards makes the phone degraded, not its agent absent. Rows of machine.js; pure.

import { NOTHING } from "./state.js";

/** What has to work before a call rings here. Notifications help, and the ring is heard without them. */
export const REQUIRED = Object.freeze(["microphone", "sound", "connection"]);
/** A shift: nobody does it again at each reload. */
export const PASSED_FOR_MS = 12 * 60 * 60_000;
/** The clock of the heartbeat ticks every 10 s: past this the computer slept, or the browser froze the page. */
export const SLEPT_AFTER_MS = 25_000;

/** The SDK's warnings → what is wrong (docs/telnyx-assumptions.md). The others are only noted with the call. */
export const WARNINGS = Object.freeze({
  31005: "quiet-microphone",
  31006: "quiet-line",
  32001: "no-sound-in",
  32002: "no-sound-out",
});

/** Return {microphone, sound, connection, notifications}: each passed, failed, or a word of what is still to be done. */
export function checks(state) {
  return {
    microphone: microphoneOf(state),
    sound: { heard: "passed", unheard: "failed", playing: "playing" }[state.gate.sound] ?? "todo",
    connection: connectionOf(state),
    notifications: { granted: "passed", denied: "failed" }[state.gate.notifications] ?? "todo",
  };
}

function microphoneOf({ microphone, gate }) {
  if (microphone === "refused" || microphone === "missing") return microphone;
  if (microphone !== "granted") return "asked";
  return gate.level === "heard" ? "passed" : "silent";
}

function connectionOf({ line, socketIsUp, rttMs, holder }) {
  if (holder === "here" && line === "ready" && socketIsUp && rttMs !== null) return "passed";
  return line === "dead" || line === "lost" ? "failed" : "waiting";
}

/** Return the state with the gate passed, if everything that is required has just passed, and what is to be done then. */
export function passing(state) {
  if (state.gate.isPassed) return [state];
  const seen = checks(state);
  if (!REQUIRED.every((one) => seen[one] === "passed")) return [state];
  const gate = Object.freeze({ ...state.gate, isPassed: true, isOpen: false });
  return [{ ...state, gate }, { do: "rememberGate" }, { do: "closeMeter" }, { do: "beat" }];
}

export const ON_GATE = {
  // It was passed in this browser not long ago.
  "gate.remembered": (state) => [withGate(state, { isPassed: true, isOpen: false })],
  "gate.open": (state) => (state.gate.isOpen ? NOTHING : ON_GATE["gate.toggled"](state)),
  "gate.toggled": (state) => {
    // Until it is passed there is nothing to go back to.
    if (state.gate.isOpen && !state.gate.isPassed) return NOTHING;
    const isOpen = !state.gate.isOpen;
    return [withGate(state, { isOpen }), { do: isOpen ? "openMeter" : "closeMeter" }];
  },
  "gate.level": (state) => {
    const hasTrouble = state.troubles.includes("quiet-microphone");
    if (state.gate.level === "heard" && !hasTrouble) return NOTHING;
    const troubles = without(state, "quiet-microphone");
    return [{ ...withGate(state, { level: "heard" }), troubles }, ...(hasTrouble ? [{ do: "beat" }] : [])];
  },
  "gate.tone": (state) => [withGate(state, { sound: "playing" }), { do: "playTone" }],
  "gate.heard": (state) => [withGate(state, { sound: "heard" }), { do: "stopTone" }],
  "gate.unheard": (state) => [withGate(state, { sound: "unheard" }), { do: "stopTone" }],
  "gate.notify": () => [{}, { do: "askToNotify" }],
  "gate.notifications": (state, { is }) => [withGate(state, { notifications: is })],
  // Another device is another question.
  "gate.device": (state, { kind, id }) => [
    state.gate.isPassed ? {} : withGate(state, kind === "microphone" ? { level: "unknown" } : { sound: "unknown" }),
    { do: "useDevice", kind, id },
  ],
  socket: (state, { isUp }) => [{ socketIsUp: isUp }],

  // ---- Sound that fails later -----------------------------------------------------------------------------------
  "line.warning": (state, { sdkId, code, atMs }) => {
    const { call } = state;
    if (call === null || call.sdkId !== sdkId) return NOTHING;
    const note = call.callId ? [{ do: "noteWarning", callId: call.callId, code, atMs }] : [];
    const trouble = WARNINGS[code];
    if (!trouble || call.phase !== "talking" || isMeantToBeSilent(state, trouble) || state.troubles.includes(trouble))
      return [{}, ...note];
    return [{ troubles: Object.freeze([...state.troubles, trouble]) }, ...note, { do: "beat" }];
  },
  // What the line measures: sound that is back is said at once.
  "line.measured": (state, measured) => {
    const { sdkId, inbound, outbound } = measured;
    if (state.call?.sdkId !== sdkId) return NOTHING;
    const note = state.call.callId ? [{ do: "noteQuality", callId: state.call.callId, measured }] : [];
    const cleared = new Set([
      ...(inbound ? ["quiet-line", "no-sound-in"] : []),
      ...(outbound ? ["quiet-microphone", "no-sound-out"] : []),
    ]);
    const troubles = state.troubles.filter((one) => !cleared.has(one));
    if (troubles.length === state.troubles.length) return [null, ...note];
    return [{ troubles: Object.freeze(troubles) }, ...note, { do: "beat" }];
  },
  tick: (state, { sinceMs }) => {
    const slept = sinceMs > SLEPT_AFTER_MS;
    if (slept === state.troubles.includes("asleep")) return [{}, { do: "beat" }];
    const troubles = slept ? Object.freeze([...state.troubles, "asleep"]) : without(state, "asleep");
    return [{ troubles }, { do: "beat" }, ...(slept ? [{ do: "fetchMe" }, { do: "refetchTalk" }] : [])];
  },
};

/** Nobody hears a muted microphone, and whoever hears music or a ring-back may hear nothing for a while. */
function isMeantToBeSilent({ call, talk }, trouble) {
  if (trouble === "quiet-microphone") return call.muted || Boolean(talk?.serverMuted);
  return trouble === "quiet-line" && talk !== null && (talk.held || talk.phase === "DIALLING");
}

function without(state, trouble) {
  return Object.freeze(state.troubles.filter((one) => one !== trouble));
}

function withGate(state, changes) {
  return { gate: Object.freeze({ ...state.gate, ...changes }) };
}
