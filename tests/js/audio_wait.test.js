import assert from "node:assert/strict";
import { test } from "node:test";

import { ASK_FOR_MS, AudioWait, EndedHere, Rounds } from "../../static/js/lib/audio_wait.js";

test("a call is asked for during a minute, each from its own beginning", () => {
  const wait = new AudioWait();
  assert.deepEqual(wait.due(["a"], 0), ["a"]);
  assert.deepEqual(wait.due(["a", "b"], ASK_FOR_MS), ["a", "b"]);
  assert.deepEqual(wait.due(["a", "b"], ASK_FOR_MS + 1), ["b"]);
  assert.deepEqual(wait.due(["a", "b"], 2 * ASK_FOR_MS + 1), []);
});

test("one that is there is forgotten", () => {
  const wait = new AudioWait();
  wait.due(["a"], 0);
  assert.deepEqual(wait.due([], 5_000), []);
  assert.deepEqual(wait.due(["a"], ASK_FOR_MS + 1), ["a"]);
});

test("a call that ended at this phone is asked for during a minute", () => {
  const ended = new EndedHere();
  ended.add("a", 0);
  ended.add("b", 30_000);
  assert.deepEqual(ended.due(ASK_FOR_MS), ["a", "b"]);
  assert.deepEqual(ended.due(ASK_FOR_MS + 1), ["b"]);
  assert.deepEqual(ended.due(ASK_FOR_MS + 30_001), []);
});

test("lists are asked once for a call of which they have no row", () => {
  const ended = new EndedHere();
  ended.add("a", 0);
  assert.deepEqual([ended.isFirst("a"), ended.isFirst("a")], [true, false]);
  ended.due(ASK_FOR_MS + 1);
  assert.ok(ended.isFirst("a"), "it was forgotten");
});

test("rounds come to everybody, and begin anew where somebody has gone", () => {
  const rounds = new Rounds();
  assert.deepEqual(
    [1, 2, 3].map(() => rounds.next(["a", "b"])),
    ["a", "b", "a"],
  );
  assert.equal(rounds.next(["b", "c"]), "b");
  assert.equal(rounds.next([]), null);
  assert.equal(rounds.next(["c"]), "c");
});
