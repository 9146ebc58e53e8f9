// What the machine asks of the server about the recording of the call.

import { post } from "../../lib/api.js";

/** The server asks Telnyx, which may take its time; past this the person is told. */
const SWITCH_WITHIN_MS = 20_000;

export function recordingCommands({ tell }) {
  return {
    switchRecording: async ({ callId, what }) => {
      const answer = await post(`/api/calls/${callId}/recording/${what}`, {}, { timeoutMs: SWITCH_WITHIN_MS });
      if (answer.status === 200) return tell({ type: "recording.switched", callId });
      // A proxy's own page says nothing that could be shown.
      if (answer.status === 0 || !answer.body?.error) tell({ type: "server.away" });
      return tell({ type: "recording.refused", callId, error: answer.body?.error ?? "" });
    },
  };
}
