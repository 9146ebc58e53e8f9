// The agent keeps something out of the call's recording, for card data. Rows of machine.js; pure.

import { hasLiveCall, NOTHING } from "./state.js";

/** While nobody of the other side is there, nothing is recorded either. */
const UNTALKED_PHASES = new Set(["DIALLING", "ROUTING", "ENDED"]);

/** How the recording stands, by the server's word: on, paused, or stuck (paused, and recorded all the same). */
export function recordingIs({ talk }) {
  return talk?.recording ?? "on";
}

/** Whether the button of the recording does anything now. */
export function maySwitchRecording(state) {
  const { call, talk } = state;
  return call?.phase === "talking" && Boolean(call.callId) && talk !== null && !UNTALKED_PHASES.has(talk.phase);
}

const isThisCall = (state, callId) => hasLiveCall(state) && state.call.callId === callId;

export const ON_RECORDING = {
  "recording.toggled": (state) => {
    if (state.switching || !maySwitchRecording(state)) return NOTHING;
    const what = recordingIs(state) === "on" ? "pause" : "resume";
    return [
      { switching: true, refused: "" },
      { do: "switchRecording", callId: state.call.callId, what },
    ];
  },
  "recording.switched": (state, { callId }) =>
    isThisCall(state, callId) ? [{ switching: false }, { do: "fetchTalk", callId }] : NOTHING,
  "recording.refused": (state, { callId, error }) =>
    isThisCall(state, callId)
      ? [
          { switching: false, refused: error },
          { do: "fetchTalk", callId },
        ]
      : NOTHING,
};
