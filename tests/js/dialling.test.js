import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { names, play, READY, TALKING, told } from "./phone_states.js";

const DIAL = { type: "dial", to: "305 555 1234", from: "+13055550101", sdkId: "leg-1" };
const ANNOUNCED = {
  type: "dial.announced",
  sdkId: "leg-1",
  callId: "call-1",
  to: "+13055551234",
  from: "+13055550101",
};
const ACTIVE = { type: "call.active", sdkId: "leg-1", atMs: 5_000 };
const OUT = { direction: "outbound" };
const over = (cause = "NORMAL_CLEARING") => ({ type: "call.over", sdkId: "leg-1", cause });

describe("a call out", () => {
  test("is announced first, and then placed with what the server checked", () => {
    const [announcing, first] = play(READY, DIAL);
    const [placing, then] = play(announcing, ANNOUNCED);

    assert.deepEqual(first.at(-1), { do: "announce", sdkId: "leg-1", to: "305 555 1234", from: "+13055550101" });
    assert.deepEqual(
      [announcing.call.phase, placing.call.phase, placing.call.callId],
      ["announcing", "placing", "call-1"],
    );
    assert.deepEqual(then.at(-1), {
      do: "place",
      sdkId: "leg-1",
      callId: "call-1",
      to: "+13055551234",
      from: "+13055550101",
    });
  });

  test("that is refused leaves the pad with the reason, and no call", () => {
    const refused = { type: "dial.refused", sdkId: "leg-1", error: "That is no number.", field: "to" };
    const [state, commands] = play(READY, { type: "dial.toggled" }, DIAL, refused);

    assert.equal(state.call, null);
    assert.deepEqual(state.dial, { isOpen: true, error: "That is no number.", field: "to" });
    assert.deepEqual(commands, []);
  });

  test("reports its ids as soon as it rings", () => {
    const [, commands] = play(READY, DIAL, ANNOUNCED, { type: "line.rings", sdkId: "leg-1" });

    assert.deepEqual(commands, [{ do: "reportIds", sdkId: "leg-1", callId: "call-1" }]);
  });

  test("has no length before the customer answers, and then the server's", () => {
    const [ringing] = play(READY, DIAL, ANNOUNCED, ACTIVE, told("DIALLING", OUT));
    const [state, commands] = play(ringing, told("TALKING", { ...OUT, sinceMs: 9_000 }));

    assert.equal(ringing.call.answeredAtMs, null);
    assert.equal(state.call.answeredAtMs, 9_000);
    assert.deepEqual(names(commands), ["showCaller"]);
  });

  for (const [outcome, why] of [
    ["busy", "busy"],
    ["no_answer", "no-answer"],
    ["failed", "failed"],
    ["canceled", ""],
  ])
    test(`that ends as ${outcome} says "${why}"`, () => {
      const [ended, commands] = play(READY, DIAL, ANNOUNCED, ACTIVE, over());
      const [state] = play(ended, { type: "call.outcome", callId: "call-1", outcome });

      assert.ok(names(commands).includes("fetchOutcome"));
      assert.equal(state.call.why, why);
    });

  test("that was talked on does not ask why it ended", () => {
    const [, commands] = play(READY, DIAL, ANNOUNCED, ACTIVE, told("TALKING", OUT), over());

    assert.ok(!names(commands).includes("fetchOutcome"));
  });

  test("that is given up while it is announced is never placed", () => {
    const [ending, ended] = play(READY, DIAL, { type: "end", atMs: 1 });
    const [state, commands] = play(ending, ANNOUNCED);

    assert.ok(!names(ended).includes("endByServer"));
    assert.equal(state.call.phase, "ended");
    assert.ok(!names(commands).includes("place"));
  });

  test("that is given up while it rings is ended by the server", () => {
    const [, commands] = play(READY, DIAL, ANNOUNCED, ACTIVE, told("DIALLING", OUT), { type: "end", atMs: 1 });

    assert.equal(commands.at(-1).do, "endByServer");
  });

  test("without a microphone ends at once and says why", () => {
    const [state, commands] = play(READY, DIAL, ANNOUNCED, { type: "answer.no-microphone", sdkId: "leg-1" });

    assert.deepEqual([state.call.phase, state.call.why, state.microphone], ["ended", "microphone", "refused"]);
    assert.ok(names(commands).includes("endLocally"));
  });
});

describe("nobody is called", () => {
  for (const [what, state] of [
    ["during a call", TALKING],
    ["before the devices are checked", { ...READY, gate: { ...READY.gate, isPassed: false } }],
    ["while the line is lost", { ...READY, line: "lost" }],
    ["from a second tab", { ...READY, holder: "tab" }],
    ["without a microphone", { ...READY, microphone: "refused" }],
  ])
    test(what, () => assert.deepEqual(play(state, DIAL), [state, []]));

  test("and a number that is pressed on the page then says so", () => {
    const pressed = { type: "dial.not-now", error: "Not now." };

    assert.equal(play(TALKING, pressed)[0].refused, "Not now.");
    assert.deepEqual(play({ ...READY, line: "lost" }, pressed)[0].dial, { isOpen: true, error: "Not now.", field: "" });
  });
});

test("a call that comes in while one is placed is refused, and the other goes on", () => {
  const incoming = { type: "invite", sdkId: "leg-9", callId: "call-9", recovered: false, atMs: 1 };
  const [state, commands] = play(READY, DIAL, incoming);

  assert.deepEqual([state.call.sdkId, commands], ["leg-1", [{ do: "hangup", sdkId: "leg-9" }]]);
});
