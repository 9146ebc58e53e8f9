import assert from "node:assert/strict";
import { test } from "node:test";

import { oneAtATime } from "../../static/js/lib/one_at_a_time.js";

/** A request that is answered when the test says so; `sent` are what it said when it left. */
function request() {
  const sent = [];
  const answers = [];
  const run = oneAtATime(() => {
    sent.push(said);
    return new Promise((answer, fail) => answers.push({ answer, fail }));
  });
  let said = "";
  return { sent, answers, say: (words) => ((said = words), run()) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what is said while an answer is awaited is sent after it, once, and as it stands by then", async () => {
  const { sent, answers, say } = request();
  for (const words of ["no microphone", "asking", "microphone"]) say(words);
  assert.deepEqual(sent, ["no microphone"]);

  answers[0].answer();
  await settled();
  assert.deepEqual(sent, ["no microphone", "microphone"]);

  answers[1].answer();
  await settled();
  say("line lost");
  assert.deepEqual(sent, ["no microphone", "microphone", "line lost"]);
});

test("a request that broke does not keep the next one back", async () => {
  const { sent, answers, say } = request();
  const first = say("one");
  answers[0].fail(new Error("bug"));
  await assert.rejects(first, /bug/);

  say("two");
  assert.deepEqual(sent, ["one", "two"]);
});
