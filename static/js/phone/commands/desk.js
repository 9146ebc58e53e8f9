// What the machine asks for about the person: choices, and the work after a call.

import { localMs, post } from "../../lib/api.js";

export function deskCommands({ tell }) {
  return {
    saveWrapUp: async (said) => {
      const { status, body } = await sendWrapUp("wrap-up", said);
      if (status === 204) tell({ type: "wrap-up.saved" });
      else refused(body);
    },
    endWrapUp: async (said) => {
      const { status, body } = await sendWrapUp("wrap-up/end", said);
      if (status === 200) tell({ type: "wrap-up.ended", presence: body.presence });
      else refused(body);
    },
  };

  function refused({ error = "", field = "" }) {
    // The API's sentence begins with the field's name, for programs.
    tell({ type: "wrap-up.refused", error: error.replace(/^disposition: /, ""), field });
  }
}

export function sendWrapUp(path, { disposition, note }, options = {}) {
  return post(`/api/agents/${path}`, { disposition, note }, options);
}

/** The server's word about the person as the machine keeps it. */
export function deskOf({ body, serverMs }) {
  const { wrap_up: wrapUp = null, break: pause = null } = body;
  return {
    pending: body.pending ?? null,
    breaks: body.breaks ?? [],
    break: pause && {
      code: pause.code,
      name: pause.name,
      sinceMs: localMs(pause.since, serverMs),
      softLimitS: pause.soft_limit_s,
      hardLimitS: pause.hard_limit_s,
    },
    wrapUp: wrapUp && {
      callId: wrapUp.call_id,
      untilMs: localMs(wrapUp.until, serverMs),
      mayEnd: wrapUp.may_end,
      dispositionRequired: wrapUp.disposition_required,
      disposition: wrapUp.disposition,
      note: wrapUp.note,
      dispositions: wrapUp.dispositions,
    },
  };
}

/** What the menu of statuses shows: the reason of a break belongs to the choice. */
export function intentOf({ intent, break: pause }) {
  return intent === "BREAK" && pause?.code ? `BREAK:${pause.code}` : intent;
}
