// The call as the server tells it, and what is asked of the server about it. Rows of machine.js; pure.

import { hasLiveCall, later, NOTHING, withCall } from "./state.js";

export const TALK_AGAIN_MS = 2_000;
export const LEAVE_WITHIN_MS = 3_000;

const CONSULTS = new Set(["CONSULT_RINGING", "CONSULTING", "SWAPPED", "MERGED"]);

/** Whether a third party is in it: who goes now leaves the others talking. */
export function isConsulting(talk) {
  return talk !== null && CONSULTS.has(talk.phase);
}

/** Whether the server would grant this wish now. */
export function mayWish(state, wish) {
  return state.call?.phase === "talking" && state.talk !== null && state.talk.mine && state.talk.may.includes(wish);
}

/** What the button of hold asks for. On the way into the room it asks for nothing: a double click must not undo it. */
export function holdWish({ talk }) {
  if (talk?.phase === "PROMOTING") return "";
  return talk?.phase === "HELD" ? "unhold" : "hold";
}

const isThisCall = (state, callId) => hasLiveCall(state) && state.call.callId === callId && callId !== "";

export const ON_TALK = {
  talk: (state, { callId, talk }) => (isThisCall(state, callId) ? told(state, talk) : NOTHING),
  "talk.failed": (state, { callId }) =>
    isThisCall(state, callId) ? [{}, later("talk", TALK_AGAIN_MS, { type: "talk.changed", callId })] : NOTHING,
  "talk.changed": (state, { callId }) => (isThisCall(state, callId) ? [{}, { do: "fetchTalk", callId }] : NOTHING),
  // The socket was down, or this page slept: what was said meanwhile was not heard.
  "talk.missed": (state) =>
    hasLiveCall(state) && state.call.callId ? [{}, { do: "fetchTalk", callId: state.call.callId }] : NOTHING,
  "talk.wish": (state, { wish, to = null }) => {
    if (state.wish !== "" || !mayWish(state, wish)) return NOTHING;
    return [
      { wish, refused: "" },
      { do: "wish", wish, to, callId: state.call.callId },
    ];
  },
  "talk.granted": (state, { callId, wish, talk }) => {
    if (!isThisCall(state, callId)) return NOTHING;
    const [changes, ...commands] = told(state, talk);
    const panel = wish === "transfer" || wish === "consult" ? "" : state.panel;
    return [{ ...changes, panel, wish: state.wish === wish ? "" : state.wish }, ...commands];
  },
  "talk.refused": (state, { callId, wish, error }) =>
    isThisCall(state, callId)
      ? [
          { wish: state.wish === wish ? "" : state.wish, refused: error },
          { do: "fetchTalk", callId },
        ]
      : NOTHING,
  "server.away": () => [{}, { do: "tellServerIsAway" }],
  // The server drops this phone's leg; should the line not hear of it, it says goodbye itself.
  "leave.done": (state, { sdkId }) =>
    hasLiveCall(state) && state.call.sdkId === sdkId
      ? [{}, later("notice", LEAVE_WITHIN_MS, { type: "end.failed", sdkId })]
      : NOTHING,
  hold: (state) => ON_TALK["talk.wish"](state, { wish: holdWish(state) }),
  // What stands open beside the call: one thing at a time.
  panel: (state, { panel }) => {
    if (state.call?.phase !== "talking") return NOTHING;
    if (panel === "transfer" && state.panel !== "transfer" && !mayWish(state, "transfer")) return NOTHING;
    return [{ panel: state.panel === panel ? "" : panel }];
  },
};

function told(state, talk) {
  const isNew = state.talk?.phase !== talk.phase;
  const isOut = talk.direction === "outbound";
  // The moment at which the customer answered; until his card says it to the second.
  const isAnswered = isOut && state.call.answeredAtMs === null && talk.phase !== "DIALLING" && talk.phase !== "ENDED";
  const answeredAtMs = isAnswered ? talk.sinceMs : state.call.answeredAtMs;
  const mayGive = talk.mine && talk.may.includes("transfer");
  return [
    {
      ...withCall(state, { isOut, answeredAtMs }),
      talk: Object.freeze(talk),
      refused: isNew ? "" : state.refused,
      // What was wished shows before its own answer is here: the next wish need not wait for that.
      wish: isNew ? "" : state.wish,
      panel: state.panel === "transfer" && !mayGive ? "" : state.panel,
    },
    ...(isAnswered ? [{ do: "showCaller", callId: state.call.callId, sdkId: state.call.sdkId }] : []),
  ];
}
