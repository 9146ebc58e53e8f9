// A call that the agent places: announced to the server, then placed on the line, where a room answers at once. Whether
// the telephone at the other end rings or is busy, the server says (talk.js). Rows of machine.js; pure.

import { hasLiveCall, isOurs, isReady, newCall, NOTHING, over, UNTALKED, withCall } from "./state.js";

/** How the server calls the end of a call out → what the phone says of it. */
const WHY = Object.freeze({ busy: "busy", no_answer: "no-answer", failed: "failed" });

const closed = Object.freeze({ isOpen: false, error: "", field: "" });

/** Whether a call can be placed now; otherwise the pad says why not. */
export function mayDial(state) {
  return isReady(state) && !hasLiveCall(state) && state.microphone === "granted";
}

export const ON_DIALLING = {
  "dial.toggled": (state) => [{ dial: Object.freeze({ ...closed, isOpen: !state.dial.isOpen }) }],
  "dial.opened": (state) => (state.dial.isOpen ? NOTHING : [{ dial: Object.freeze({ ...closed, isOpen: true }) }]),
  // A number was pressed somewhere on the page while nobody can be called.
  "dial.not-now": (state, { error }) =>
    hasLiveCall(state) ? [{ refused: error }] : [{ dial: Object.freeze({ isOpen: true, error, field: "" }) }],
  dial: (state, { to, from, sdkId }) => {
    if (to === "" || !mayDial(state)) return NOTHING;
    return [
      {
        ...UNTALKED,
        call: newCall({ sdkId, callId: "", phase: "announcing", isOut: true, number: to }),
        dial: Object.freeze({ ...state.dial, error: "", field: "" }),
        held: null,
        endedCallId: "",
      },
      { do: "forget", name: "ended" },
      { do: "announce", sdkId, to, from },
    ];
  },
  "dial.announced": (state, event) => {
    if (!isOurs(state, event)) return NOTHING;
    // Thought better of it before anything left this browser.
    if (state.call.phase !== "announcing") return over(state, "");
    const { sdkId, callId, to, from } = event;
    return [
      { ...withCall(state, { callId, phase: "placing" }), dial: closed },
      { do: "noteDialled", number: to },
      { do: "place", sdkId, callId, to, from },
    ];
  },
  "dial.refused": (state, event) => {
    if (!isOurs(state, event)) return NOTHING;
    const { error, field = "" } = event;
    return [{ call: null, dial: Object.freeze({ isOpen: true, error, field }) }];
  },
  // Ids come with the ringing, which is no state of the line's.
  "line.rings": (state, event) =>
    isOurs(state, event) && state.call.isOut && state.call.callId
      ? [{}, { do: "reportIds", sdkId: event.sdkId, callId: state.call.callId }]
      : NOTHING,
  "call.outcome": (state, { callId, outcome }) =>
    state.call?.phase === "ended" && state.call.callId === callId && WHY[outcome]
      ? [withCall(state, { why: WHY[outcome] })]
      : NOTHING,
};
