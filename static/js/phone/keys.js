// Which key means what. Alt and a letter, because letters alone are typed into fields; none that a browser keeps for itself
// (Alt D is Chrome's address bar, and is taken only while it rings). Pure.

/** Keys that are a wish about the call, by the API's own word. */
export const WISHES = new Set(["complete", "cancel", "merge", "swap"]);

const RINGING = { KeyA: "answer", KeyD: "decline" };
const IN_CALL = { KeyX: "end" };
const TALKING = {
  ...IN_CALL,
  KeyM: "mute",
  KeyP: "hold",
  KeyR: "recording.toggled",
  KeyK: "keypad",
  KeyG: "transfer",
  KeyC: "complete",
  KeyJ: "merge",
  KeyW: "swap",
  KeyZ: "cancel",
};
const IDLE = { KeyN: "dial.toggled", KeyU: "wrap-up.end" };
const BY_PHASE = {
  incoming: RINGING,
  answering: IN_CALL,
  announcing: IN_CALL,
  placing: IN_CALL,
  recovering: IN_CALL,
  talking: TALKING,
  ending: {},
};

/** Return what this key asks for, or "". `isTyping`: the focus is in a field, where "?" is a letter. */
export function keyOf({ key, code, altKey, ctrlKey, metaKey, shiftKey }, state, { isTyping }) {
  if (key === "Escape") return state.panel || state.dial.isOpen || state.gate.isOpen ? "close" : "";
  if (ctrlKey || metaKey) return "";
  if (!altKey) return key === "?" && !isTyping ? "keys" : "";
  if (shiftKey) return "";
  return (BY_PHASE[state.call?.phase] ?? IDLE)[code] ?? "";
}
