// States that several tables begin with, and how events are fed to them.

import { INITIAL, step } from "../../static/js/phone/machine.js";

export const READY = Object.freeze({
  ...INITIAL,
  gate: { ...INITIAL.gate, isPassed: true, isOpen: false },
  holder: "here",
  line: "ready",
  microphone: "granted",
  presence: "AVAILABLE",
});

/** Feed the events one after another; return [state, the commands of the last event]. */
export function play(state, ...events) {
  let commands = [];
  for (const event of events) [state, commands] = step(state, event);
  return [state, commands];
}

export const names = (commands) => commands.map((command) => command.do);

export const talkOf = (phase, changes = {}) => ({
  direction: "inbound",
  phase,
  sinceMs: 9_000,
  may: ["hold", "consult", "transfer", "leave"],
  mine: true,
  lead: "",
  inRoom: false,
  held: false,
  serverMuted: false,
  messageText: "",
  consult: null,
  ...changes,
});

export const told = (phase, changes) => ({ type: "talk", callId: "call-1", talk: talkOf(phase, changes) });

/** An agent who answered a call, and whose server has said how it stands. */
export const TALKING = play(
  READY,
  { type: "invite", sdkId: "leg-1", callId: "call-1", recovered: false, atMs: 1_000 },
  { type: "answer" },
  { type: "call.active", sdkId: "leg-1", atMs: 5_000 },
  told("TALKING"),
)[0];
