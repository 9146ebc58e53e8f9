// How soon what a push names is fetched: a row at once, a whole list not more often than people can read.

/** Several pushes about one call come together; the row is fetched once. */
const GATHER_MS = 120;
/** In a busy hour each call of the company touches a list some five times. */
const LIST_EVERY_MS = 1_000;

export class Pace {
  #fetchedAtMs = new Map();

  fetched(key, nowMs) {
    this.#fetchedAtMs.set(key, nowMs);
  }

  /** Return in how many milliseconds it may be fetched. */
  delayMs(key, isList, nowMs) {
    const sinceMs = nowMs - (this.#fetchedAtMs.get(key) ?? -Infinity);
    return isList ? Math.max(GATHER_MS, LIST_EVERY_MS - sinceMs) : GATHER_MS;
  }
}
