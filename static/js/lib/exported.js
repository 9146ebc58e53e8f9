// What an export's answer is, apart from the page: a file, and a whole one?

const NEW_LINE = 10;
/** telephony.queries.export.BROKEN: the last line of a file that is not whole begins with it. */
const BROKEN = /(?:^|\n)"?⚠[^\n]*\n?$/;
/** As long as that line is at the most, in bytes. */
export const TAIL_BYTES = 400;

/** Return what to say of an answer that is no file (`busy`, `out`, `failed`); empty: it is one. */
export function refusalOf({ status, isRedirected, type }) {
  if (status === 503) return "busy";
  // A log-in that ran out leads to the log-in page, which is well and no export.
  if (status === 401 || isRedirected) return "out";
  return status === 200 && type.startsWith("text/csv") ? "" : "failed";
}

/** Return how many lines end in these bytes. A line break within a cell counts too: the count is for the eye. */
export function linesIn(bytes) {
  return bytes.reduce((sum, byte) => sum + (byte === NEW_LINE), 0);
}

export function isBroken(tail) {
  return BROKEN.test(tail);
}
