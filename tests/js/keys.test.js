import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { keyOf } from "../../static/js/phone/keys.js";
import { READY, TALKING } from "./phone_states.js";

const alt = (letter) => ({ altKey: true, code: `Key${letter}`, key: letter });
const INCOMING = { ...READY, call: { phase: "incoming" } };
const quiet = { isTyping: false };

for (const [state, letter, asks] of [
  [INCOMING, "A", "answer"],
  [INCOMING, "D", "decline"],
  [INCOMING, "M", ""],
  [TALKING, "X", "end"],
  [TALKING, "M", "mute"],
  [TALKING, "P", "hold"],
  [TALKING, "R", "recording.toggled"],
  [TALKING, "K", "keypad"],
  [TALKING, "G", "transfer"],
  [TALKING, "C", "complete"],
  [TALKING, "J", "merge"],
  [TALKING, "W", "swap"],
  [TALKING, "Z", "cancel"],
  [TALKING, "A", ""],
  [READY, "N", "dial.toggled"],
  [READY, "U", "wrap-up.end"],
  [READY, "D", ""],
  [READY, "X", ""],
])
  test(`Alt ${letter} asks for "${asks}" ${state.call ? state.call.phase : "without a call"}`, () => {
    assert.equal(keyOf(alt(letter), state, quiet), asks);
    assert.equal(keyOf({ ...alt(letter), ctrlKey: true }, state, quiet), "", "AltGr writes letters");
  });

test("the question mark is a letter in a field", () => {
  assert.equal(keyOf({ key: "?", shiftKey: true }, READY, quiet), "keys");
  assert.equal(keyOf({ key: "?", shiftKey: true }, READY, { isTyping: true }), "");
});

test("Escape is left to the browser while nothing stands open", () => {
  assert.equal(keyOf({ key: "Escape" }, READY, quiet), "");
  assert.equal(keyOf({ key: "Escape" }, { ...TALKING, panel: "keypad" }, quiet), "close");
});

test("every key stands in the list that people see", () => {
  const list = readFileSync(new URL("../../templates/phone/_keys.html", import.meta.url), "utf8");
  const shown = [...list.matchAll(/<kbd>Alt<\/kbd> <kbd>(\w)<\/kbd>/g)].map((match) => match[1]);
  const states = [INCOMING, TALKING, READY];
  const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");

  assert.deepEqual(
    shown.sort(),
    all.filter((letter) => states.some((state) => keyOf(alt(letter), state, quiet))),
  );
});
