// Below the push, a net: for a minute the page asks for calls whose audio is due, socket or no socket.

export const ASK_FOR_MS = 60_000;

/** Remembers since when each call is waited for, so that a page whose server is silent does not ask for ever. */
export class AudioWait {
  #sinceMs = new Map();

  /** Return those of the calls that are asked for now. */
  due(callIds, nowMs) {
    for (const id of this.#sinceMs.keys()) if (!callIds.includes(id)) this.#sinceMs.delete(id);
    for (const id of callIds) if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, nowMs);
    return callIds.filter((id) => nowMs - this.#sinceMs.get(id) <= ASK_FOR_MS);
  }
}

/** Remembers which calls ended at the phone of this page, so that their rows are asked for though no push came. */
export class EndedHere {
  #atMs = new Map();
  #listed = new Set();

  add(callId, nowMs) {
    this.#atMs.set(callId, nowMs);
  }

  /** Return those that ended within the last minute. */
  due(nowMs) {
    for (const [id, atMs] of this.#atMs) if (nowMs - atMs > ASK_FOR_MS) this.#forget(id);
    return [...this.#atMs.keys()];
  }

  /** Say, once for each, that the lists have not been asked for it: a page may have no row of it, and never will. */
  isFirst(callId) {
    if (this.#listed.has(callId)) return false;
    this.#listed.add(callId);
    return true;
  }

  #forget(id) {
    this.#atMs.delete(id);
    this.#listed.delete(id);
  }
}

/** Goes round what may have changed unheard, one at a time, so that a page costs the same however many calls go on. */
export class Rounds {
  #last = "";

  /** Return the id after the last one; null if there is none. */
  next(ids) {
    this.#last = ids[ids.indexOf(this.#last) + 1] ?? ids[0] ?? "";
    return this.#last || null;
  }
}
