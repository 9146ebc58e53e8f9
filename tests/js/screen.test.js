import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { INITIAL } from "../../static/js/phone/machine.js";
import { describe as screen } from "../../static/js/phone/screen.js";

const PASSED = { ...INITIAL.gate, isPassed: true, isOpen: false };
const READY = { ...INITIAL, gate: PASSED, holder: "here", line: "ready", microphone: "granted" };
const talk = (phase, mine = true) => ({ talk: { phase, mine, held: false } });
const call = (changes) => ({ ...READY, call: { sdkId: "leg", callId: "call", muted: false, why: "", ...changes } });

const ROWS = [
  [INITIAL, "starting", "quiet", ""],
  [READY, "ready", "good", ""],
  [{ ...READY, intent: "BREAK" }, "break", "quiet", ""],
  [{ ...READY, intent: "OFFLINE" }, "offline", "quiet", ""],
  [{ ...READY, presence: "ON_CALL" }, "on-call", "bad", ""],
  [{ ...READY, presence: "ON_CALL", held: { callId: "call", ending: false } }, "on-call", "bad", "end-held"],
  [{ ...READY, presence: "ON_CALL", held: { callId: "call", ending: true } }, "ending", "quiet", ""],
  [{ ...READY, presence: "ON_CALL", endedCallId: "call" }, "ended", "quiet", ""],
  [{ ...READY, presence: "ON_CALL", endedCallId: "call", held: { callId: "call" } }, "ended", "quiet", ""],
  [{ ...READY, presence: "ON_CALL", endedCallId: "old", held: { callId: "call" } }, "on-call", "bad", "end-held"],
  [{ ...READY, presence: "NOT_RESPONDING" }, "not-responding", "bad", "i-am-back"],
  [{ ...READY, line: "connecting" }, "connecting", "quiet", ""],
  [{ ...READY, holder: "taking" }, "connecting", "quiet", ""],
  [{ ...READY, holder: "taking", takesFailed: 1 }, "server-away", "bad", ""],
  [{ ...READY, holder: "taking", takesFailed: 1, line: "no-credential" }, "no-credential", "quiet", ""],
  [{ ...READY, line: "off", microphone: "refused" }, "connecting", "quiet", ""],
  [{ ...READY, line: "connecting", microphone: "refused" }, "microphone-refused", "bad", "retry"],
  [{ ...READY, line: "lost" }, "line-lost", "bad", ""],
  [{ ...READY, line: "dead" }, "line-dead", "bad", "retry"],
  [{ ...READY, line: "no-credential" }, "no-credential", "quiet", ""],
  [{ ...READY, beatsMissed: 1 }, "ready", "good", ""],
  [{ ...READY, beatsMissed: 2 }, "server-away", "bad", ""],
  [{ ...READY, microphone: "refused" }, "microphone-refused", "bad", "retry"],
  [{ ...READY, microphone: "missing" }, "microphone-missing", "bad", "retry"],
  [{ ...READY, microphone: "asked" }, "microphone-asked", "bad", ""],
  [{ ...READY, holder: "tab" }, "tab", "bad", "use-here"],
  [{ ...READY, holder: "tab", otherTabBusy: true }, "tab-busy", "bad", ""],
  [{ ...READY, holder: "elsewhere" }, "elsewhere", "bad", "use-here"],
  [{ ...READY, signedOut: true }, "signed-out", "bad", "log-in"],
  [call({ phase: "incoming" }), "incoming", "live", ""],
  [call({ phase: "answering" }), "answering", "quiet", ""],
  [call({ phase: "recovering" }), "recovering", "quiet", ""],
  [call({ phase: "talking" }), "talking", "good", ""],
  [call({ phase: "talking", muted: true }), "muted", "live", ""],
  [{ ...call({ phase: "talking" }), line: "lost" }, "line-lost-in-call", "bad", ""],
  [{ ...call({ phase: "talking" }), beatsMissed: 3 }, "server-away-in-call", "bad", ""],
  [call({ phase: "ending" }), "ending", "quiet", ""],
  [call({ phase: "ended" }), "ended", "quiet", ""],
  [{ ...READY, gate: INITIAL.gate }, "check-devices", "bad", ""],
  [{ ...READY, presence: "WRAP_UP" }, "wrap-up", "quiet", ""],
  [{ ...READY, intent: "BREAK:lunch" }, "break", "quiet", ""],
  [{ ...READY, troubles: ["quiet-microphone"] }, "degraded", "bad", ""],
  [call({ phase: "announcing", isOut: true }), "dialling", "quiet", ""],
  [call({ phase: "placing", isOut: true }), "dialling", "quiet", ""],
  [call({ phase: "talking", isOut: true, answeredAtMs: null }), "dialling", "quiet", ""],
  [{ ...call({ phase: "talking", isOut: true, answeredAtMs: null }), ...talk("DIALLING") }, "dialling", "quiet", ""],
  [{ ...call({ phase: "talking", isOut: true, answeredAtMs: 1 }), ...talk("TALKING") }, "talking", "good", ""],
  [{ ...call({ phase: "talking" }), ...talk("PROMOTING") }, "moving", "quiet", ""],
  [{ ...call({ phase: "talking" }), ...talk("HELD") }, "held", "live", ""],
  [{ ...call({ phase: "talking", muted: true }), ...talk("HELD") }, "held", "live", ""],
  [{ ...call({ phase: "talking" }), ...talk("TRANSFERRING") }, "transferring", "quiet", ""],
  [{ ...call({ phase: "talking" }), ...talk("CONSULT_RINGING") }, "consult-ringing", "live", ""],
  [{ ...call({ phase: "talking" }), ...talk("CONSULTING") }, "consulting", "live", ""],
  [{ ...call({ phase: "talking" }), ...talk("CONSULTING", false) }, "consulted", "live", ""],
  [{ ...call({ phase: "talking" }), ...talk("SWAPPED") }, "swapped", "live", ""],
  [{ ...call({ phase: "talking" }), ...talk("SWAPPED", false) }, "consulted-waits", "live", ""],
  [{ ...call({ phase: "talking" }), ...talk("MERGED") }, "merged", "good", ""],
  [{ ...call({ phase: "talking" }), ...talk("MERGED", false) }, "merged", "good", ""],
  ...["busy", "no-answer"].map((why) => [call({ phase: "ended", why }), `ended-${why}`, "quiet", ""]),
  [call({ phase: "ended", why: "failed" }), "ended-failed", "bad", ""],
  ...["declined", "taken", "caller-left"].map((why) => [call({ phase: "ended", why }), `ended-${why}`, "quiet", ""]),
  ...["lost", "microphone"].map((why) => [call({ phase: "ended", why }), `ended-${why}`, "bad", ""]),
];

for (const [state, say, tone, offers] of ROWS) {
  test(`the screen says ${say} (${tone}${offers && `, offers ${offers}`})`, () => {
    const shown = screen(state);

    assert.deepEqual([shown.say, shown.tone, shown.offers], [say, tone, offers]);
  });
}

for (const [phase, told, word, why = ""] of [
  ["incoming", "AVAILABLE", "RINGING"],
  ["answering", "RINGING", "ON_CALL"],
  ["recovering", "AVAILABLE", "ON_CALL"],
  ["talking", "RINGING", "ON_CALL"],
  ["talking", "OFFLINE", "ON_CALL"],
  ["ending", "ON_CALL", "ON_CALL"],
  ["ending", "AVAILABLE", "AVAILABLE", "declined"],
  ["ended", "ON_CALL", "ON_CALL"],
  ["ended", "AVAILABLE", "AVAILABLE"],
]) {
  test(`the word is ${word} while a call is ${why || phase} and the server still says ${told}`, () => {
    assert.equal(screen({ ...call({ phase, why }), presence: told }).presence, word);
  });
}

test("every button that helps stands in the template", () => {
  const template = readFileSync(new URL("../../templates/phone/_phone.html", import.meta.url), "utf8");

  for (const [, , , offers] of ROWS) assert.ok(!offers || template.includes(`data-offers="${offers}"`), offers);
});

test("whatever the screen says stands in the template, and nothing stands there that is never said", () => {
  const template = readFileSync(new URL("../../templates/phone/_messages.html", import.meta.url), "utf8");
  const written = [...template.matchAll(/data-say="([^"]+)"/g)].map((match) => match[1]);

  assert.deepEqual(written.sort(), [...new Set(ROWS.map(([, say]) => say))].sort());
});
