import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { deskOf, intentOf } from "../../static/js/phone/commands/desk.js";
import { names, play, READY } from "./phone_states.js";

const WRAP_UP = {
  callId: "call-1",
  untilMs: 60_000,
  mayEnd: true,
  dispositionRequired: true,
  disposition: "",
  note: "",
  dispositions: [{ code: "sale", name: "Sale" }],
};
const me = (desk) => ({ type: "me", presence: "WRAP_UP", intent: "AVAILABLE", callId: "", desk });
const WRAPPING = play(READY, me({ wrapUp: WRAP_UP }))[0];
const SAID = { disposition: "sale", note: "calls back" };

describe("the work after a call", () => {
  test("is shown as the server has it, after a reload too", () => {
    assert.deepEqual(WRAPPING.desk.wrapUp, WRAP_UP);
  });

  test("is saved without ending it", () => {
    const [state, commands] = play(WRAPPING, { type: "wrap-up.save", ...SAID });

    assert.deepEqual(commands, [{ do: "saveWrapUp", ...SAID }]);
    assert.equal(state.desk.saving, "save");
    assert.equal(play(state, { type: "wrap-up.saved" })[0].desk.saving, "");
  });

  test("ends with what was said, once", () => {
    const [state, commands] = play(WRAPPING, { type: "wrap-up.end", ...SAID });

    assert.deepEqual(commands, [{ do: "endWrapUp", ...SAID }]);
    assert.deepEqual(play(state, { type: "wrap-up.end", ...SAID })[1], []);
    const [done] = play(state, { type: "wrap-up.ended", presence: "AVAILABLE" });
    assert.deepEqual([done.desk.wrapUp, done.presence], [null, "AVAILABLE"]);
  });

  test("that is refused keeps what was said, and shows why at its field", () => {
    const refused = { type: "wrap-up.refused", error: "Say how the call went first.", field: "disposition" };
    const { desk } = play(WRAPPING, { type: "wrap-up.end", ...SAID, disposition: "" }, refused)[0];

    assert.deepEqual([desk.error, desk.field, desk.wrapUp.note], [refused.error, "disposition", "calls back"]);
  });

  test("that the server cannot hear of says so", () => {
    const [, commands] = play(WRAPPING, { type: "wrap-up.save", ...SAID }, { type: "wrap-up.refused", error: "" });

    assert.deepEqual(names(commands), ["tellServerIsAway"]);
  });

  test("that is locked is not ended by a key", () => {
    const [locked] = play(READY, me({ wrapUp: { ...WRAP_UP, mayEnd: false } }));

    assert.deepEqual(play(locked, { type: "wrap-up.end", ...SAID })[1], []);
  });

  test("that is over cannot be saved", () => {
    assert.deepEqual(play(READY, { type: "wrap-up.save", ...SAID })[1], []);
  });
});

describe("a choice for afterwards", () => {
  test("is shown as pending, and taken back by one press", () => {
    const [busy] = play(
      READY,
      { type: "intent.chosen", intent: "BREAK:lunch" },
      { type: "intent.kept", intent: "BREAK:lunch", presence: "ON_CALL", pending: "BREAK" },
    );
    const [state, commands] = play(busy, { type: "intent.taken-back" });

    assert.equal(busy.desk.pending, "BREAK");
    assert.equal(state.intent, "AVAILABLE");
    assert.deepEqual(commands, [{ do: "chooseIntent", intent: "AVAILABLE", before: "BREAK:lunch" }]);
  });

  test("that nobody made has nothing to be taken back", () => {
    assert.deepEqual(play(READY, { type: "intent.taken-back" })[1], []);
  });
});

describe("the server's word", () => {
  const serverMs = Date.now();

  test("of a break has its reason in the choice, and its clock by this computer", () => {
    const body = {
      intent: "BREAK",
      break: { code: "lunch", name: "Lunch", since: "2026-11-26T12:00:00Z", soft_limit_s: 3600, hard_limit_s: 5400 },
    };

    assert.equal(intentOf(body), "BREAK:lunch");
    assert.deepEqual(deskOf({ body, serverMs }).break, {
      code: "lunch",
      name: "Lunch",
      sinceMs: Date.parse("2026-11-26T12:00:00Z"),
      softLimitS: 3600,
      hardLimitS: 5400,
    });
  });

  test("is taken by this computer's clock, though it is an hour slow", () => {
    const body = { wrap_up: { until: "2026-11-26T12:00:00Z", dispositions: [] } };
    const { wrapUp } = deskOf({ body, serverMs: serverMs + 3_600_000 });

    assert.ok(Math.abs(wrapUp.untilMs - (Date.parse("2026-11-26T12:00:00Z") - 3_600_000)) < 1_000);
  });

  test("without a break or a wrap-up is none", () => {
    const { pending, breaks, wrapUp } = deskOf({ body: {}, serverMs });

    assert.deepEqual([pending, breaks, wrapUp, intentOf({ intent: "BREAK" })], [null, [], null, "BREAK"]);
  });
});
