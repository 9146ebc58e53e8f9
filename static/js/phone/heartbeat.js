// What a heartbeat says, and what its answer means. Pure; phone.js sends it.

import { isDegraded, isReady } from "./state.js";

/** The body of POST /api/agents/heartbeat. */
export function bodyOf(state, { agentId, companyId, phoneId, now }) {
  return {
    agentId,
    companyId,
    phoneId,
    timestamp: now.toISOString(),
    ready: isReady(state),
    microphone: state.microphone === "granted",
    degraded: isDegraded(state),
  };
}

/** Only the tab that holds the phone beats; a second tab would fight it for the claim. */
export function isDue(state) {
  return state.holder === "here" && !state.signedOut;
}

/**
 * `answer` is {status, body} of lib/api.js; status 0 means that nothing answered. `asked` is the state as it was when the
 * beat was sent: an answer may be older than what has been granted since.
 */
export function eventOf({ status, body }, asked, rttMs = null) {
  if (status === 200)
    return { type: "beat.answered", presence: body.presence, phone: body.phone, oursUs: asked.oursUs, rttMs };
  if (status === 401 || status === 403) return { type: "beat.refused" };
  return { type: "beat.failed" };
}
