// What the machine asks for when the agent places a call.

import { get, post } from "../../lib/api.js";

export function diallingCommands({ tell, view, line }) {
  return {
    fetchCallerIds: async () => {
      const { status, body } = await get("/api/webrtc/caller-ids");
      if (status === 200) view.dial.showCallerIds(body.results);
    },
    announce: async ({ sdkId, to, from }) => {
      view.nameCaller(to);
      const { status, body } = await post("/api/webrtc/calls", { to, ...(from ? { from } : {}) });
      if (status === 200)
        return tell({ type: "dial.announced", sdkId, callId: body.callId, to: body.to, from: body.from });
      if (status === 0 || status >= 500) tell({ type: "server.away" });
      return tell({ type: "dial.refused", sdkId, error: body.error ?? "", field: body.field });
    },
    place: ({ sdkId, callId, to, from }) => line.place({ sdkId, callId, to, from }),
    noteDialled: ({ number }) => view.dial.remember(number),
  };
}
