import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { recordingIs } from "../../static/js/phone/recording.js";
import { names, play, READY, TALKING, told } from "./phone_states.js";

const pressed = { type: "recording.toggled" };
const answered = { type: "recording.switched", callId: "call-1" };

describe("the recording of the call", () => {
  test("is paused by the button, once, however often it is pressed", () => {
    const [state, commands] = play(TALKING, pressed);

    assert.deepEqual(commands, [{ do: "switchRecording", callId: "call-1", what: "pause" }]);
    assert.deepEqual(play(state, pressed)[1], []);
  });

  test("goes on by the same button, also when the pause got stuck", () => {
    for (const recording of ["paused", "stuck"]) {
      const [state] = play(TALKING, told("TALKING", { recording }));
      assert.equal(recordingIs(state), recording);
      assert.equal(play(state, pressed)[1][0].what, "resume");
    }
  });

  test("is shown as the server says, never as it was asked for", () => {
    const [state, commands] = play(TALKING, pressed, answered);

    assert.equal(recordingIs(state), "on");
    assert.deepEqual(names(commands), ["fetchTalk"]);
    assert.equal(state.switching, false);
  });

  test("that could not be paused says why, and can be asked for again", () => {
    const [state] = play(TALKING, pressed, { type: "recording.refused", callId: "call-1", error: "Try again." });

    assert.deepEqual([state.refused, state.switching], ["Try again.", false]);
    assert.equal(play(state, pressed)[1].length, 1);
  });

  test("can be paused while the customer is on hold or somebody is consulted, and by who was asked", () => {
    for (const phase of ["HELD", "CONSULTING", "MERGED"])
      assert.equal(play(TALKING, told(phase), pressed)[1].length, 1, phase);
    assert.equal(play(TALKING, told("MERGED", { mine: false }), pressed)[1].length, 1);
  });

  test("is nobody's before and after the call", () => {
    assert.deepEqual(play(READY, pressed)[1], []);
    const [over] = play(TALKING, pressed, { type: "call.over", sdkId: "leg-1", cause: "NORMAL_CLEARING" });
    assert.equal(over.switching, false);
    assert.deepEqual(play(over, pressed)[1], []);
    assert.deepEqual(play(TALKING, told("DIALLING"), pressed)[1], []);
  });

  test("of another call changes nothing here", () => {
    assert.deepEqual(play(TALKING, { ...answered, callId: "call-9" })[1], []);
  });
});
