// What the person chose, breaks, and the work after a call: the server's word, and what is asked of it. Rows of machine.js.

import { hasLiveCall, NOTHING } from "./state.js";

/** AVAILABLE, BREAK or OFFLINE, of a choice that may name the reason too. */
export function kindOf(intent) {
  return intent.split(":")[0];
}

export const ON_DESK = {
  "intent.chosen": (state, { intent }) => chosen(state, intent),
  // Two calls in a row were not answered; the server rings again as soon as the agent says that he is there.
  "i.am.back": (state) => (state.choosing ? NOTHING : chosen(state, "AVAILABLE")),
  // What was chosen for afterwards is taken back.
  "intent.taken-back": (state) =>
    state.desk.pending === null || state.choosing ? NOTHING : chosen(state, "AVAILABLE"),
  "intent.kept": (state, { intent, presence, pending = null }) => {
    const [changes, ...commands] = withPresence(state, presence);
    const desk = Object.freeze({ ...state.desk, pending });
    return [{ ...changes, desk, choosing: stillChoosing(state, intent) }, ...commands];
  },
  "intent.failed": (state, { intent, before }) => {
    // He has chosen another one since.
    if (state.choosing !== intent) return NOTHING;
    return [{ intent: before, choosing: "" }, ...(state.signedOut ? [] : [{ do: "tellServerIsAway" }])];
  },
  presence: (state, { presence }) => withPresence(state, presence),
  // What the server knows, asked for when a page begins and when something was chosen in another one.
  me: (state, { presence, intent, callId, desk = {} }) => {
    const [changes] = withPresence(state, presence);
    const held = callId && !hasLiveCall(state) ? Object.freeze({ callId, ending: isEnding(state, callId) }) : null;
    const known = Object.freeze({ ...state.desk, ...desk });
    return [{ ...changes, intent: state.choosing || intent, held, desk: known }];
  },

  // ---- The work after a call ------------------------------------------------------------------------------------
  "wrap-up.save": (state, said) => asked(state, "save", said),
  "wrap-up.end": (state, said) => (state.desk.wrapUp?.mayEnd ? asked(state, "end", said) : NOTHING),
  "wrap-up.saved": (state) => [withDesk(state, { saving: "", error: "", field: "" })],
  "wrap-up.ended": (state, { presence }) => {
    const [changes, ...commands] = withPresence(state, presence);
    return [{ ...changes, ...withDesk(state, { saving: "", error: "", field: "", wrapUp: null }) }, ...commands];
  },
  "wrap-up.refused": (state, { error, field = "" }) => [
    withDesk(state, { saving: "", error, field }),
    ...(error ? [] : [{ do: "tellServerIsAway" }]),
  ],
};

/** The server's word. Who is on a call of which nothing is known here asks which one it is. */
export function withPresence(state, presence) {
  if (presence !== "ON_CALL") return [{ presence, held: null, endedCallId: "" }];
  const isUnknown = state.holder === "here" && state.held === null && !hasLiveCall(state);
  return [{ presence }, ...(isUnknown ? [{ do: "fetchMe" }] : [])];
}

export function isEnding({ held }, callId) {
  return held !== null && held.ending && held.callId === callId;
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

function asked(state, how, { disposition, note }) {
  if (state.desk.wrapUp === null || state.desk.saving === "end") return NOTHING;
  const wrapUp = Object.freeze({ ...state.desk.wrapUp, disposition, note });
  return [
    withDesk(state, { saving: how, wrapUp }),
    { do: how === "end" ? "endWrapUp" : "saveWrapUp", disposition, note },
  ];
}

function withDesk(state, changes) {
  return { desk: Object.freeze({ ...state.desk, ...changes }) };
}
