import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { bodyOf } from "../../static/js/phone/heartbeat.js";
import { checks, SLEPT_AFTER_MS } from "../../static/js/phone/gate.js";
import { INITIAL, isReady } from "../../static/js/phone/machine.js";
import { names, play, READY, TALKING, told } from "./phone_states.js";

const FRESH = { ...READY, gate: INITIAL.gate };
const BEAT = { type: "beat.answered", presence: "NO_DEVICE", phone: "here", oursUs: 0, rttMs: 40 };
const ALL = [
  { type: "socket", isUp: true },
  BEAT,
  { type: "gate.level" },
  { type: "gate.tone" },
  { type: "gate.heard" },
];
const warning = (code) => ({ type: "line.warning", sdkId: "leg-1", code, atMs: 7_000 });
const heard = (inbound, outbound) => ({ type: "line.measured", sdkId: "leg-1", inbound, outbound });

describe("the check of the devices", () => {
  test("is passed by the last thing that works, whichever it is, and only then is the phone ready", () => {
    for (const last of ALL.filter(({ type }) => type !== "gate.tone")) {
      const [almost] = play(FRESH, ...ALL.filter((event) => event !== last));
      const [state, commands] = play(almost, last);

      assert.ok(!isReady(almost), last.type);
      assert.ok(isReady(state), last.type);
      assert.deepEqual(names(commands).slice(-3), ["rememberGate", "closeMeter", "beat"], last.type);
    }
  });

  test("is not asked for again by a browser that remembers it", () => {
    assert.ok(isReady(play(FRESH, { type: "gate.remembered" })[0]));
  });

  test("cannot be closed before it is passed, and can be opened again afterwards", () => {
    assert.deepEqual(play(FRESH, { type: "gate.toggled" })[1], []);
    const [open, commands] = play(READY, { type: "gate.toggled" });
    assert.deepEqual([open.gate.isOpen, names(commands), isReady(open)], [true, ["openMeter"], true]);
  });

  test("keeps the phone open that passed it, though the line is lost and comes back", () => {
    const [state] = play(READY, { type: "line.lost" }, { type: "line.ready" });

    assert.ok(isReady(state));
  });

  for (const [what, state, name, is] of [
    ["a silent microphone", FRESH, "microphone", "silent"],
    ["a refused one", { ...FRESH, microphone: "refused" }, "microphone", "refused"],
    ["none at all", { ...FRESH, microphone: "missing" }, "microphone", "missing"],
    ["a tone that plays", play(FRESH, { type: "gate.tone" })[0], "sound", "playing"],
    ["a tone that nobody heard", play(FRESH, { type: "gate.unheard" })[0], "sound", "failed"],
    ["no pushes", { ...FRESH, rttMs: 5 }, "connection", "waiting"],
    ["a dead line", { ...FRESH, line: "dead" }, "connection", "failed"],
    ["blocked notifications", play(FRESH, { type: "gate.notifications", is: "denied" })[0], "notifications", "failed"],
  ])
    test(`tells of ${what}`, () => assert.equal(checks(state)[name], is));

  test("is begun anew for a device that was changed before it was passed", () => {
    const [state, commands] = play(FRESH, { type: "gate.level" }, { type: "gate.device", kind: "microphone", id: "x" });

    assert.equal(state.gate.level, "unknown");
    assert.deepEqual(commands, [{ do: "useDevice", kind: "microphone", id: "x" }]);
  });
});

describe("sound that fails in a call", () => {
  for (const [code, trouble] of [
    [31005, "quiet-microphone"],
    [31006, "quiet-line"],
    [32001, "no-sound-in"],
    [32002, "no-sound-out"],
  ])
    test(`${code} is ${trouble}, is noted with the call, and the next heartbeat says degraded`, () => {
      const [state, commands] = play(TALKING, warning(code));

      assert.deepEqual(state.troubles, [trouble]);
      assert.deepEqual(commands, [{ do: "noteWarning", callId: "call-1", code, atMs: 7_000 }, { do: "beat" }]);
      assert.ok(bodyOf(state, { now: new Date() }).degraded);
      assert.ok(!bodyOf(TALKING, { now: new Date() }).degraded);
    });

  test("another warning is only noted", () => {
    const [state, commands] = play(TALKING, warning(31001));

    assert.deepEqual([state.troubles.length, names(commands)], [0, ["noteWarning"]]);
  });

  test("a muted microphone is silent because it is meant to be", () => {
    assert.equal(play(TALKING, { type: "mute" }, warning(31005))[0].troubles.length, 0);
    assert.equal(play(TALKING, told("HELD", { held: true }), warning(31006))[0].troubles.length, 0);
  });

  test("is over as soon as it is heard, each way for itself", () => {
    const [both] = play(TALKING, warning(31005), warning(32001));
    const [state, commands] = play(both, heard(true, false));

    assert.deepEqual([state.troubles, names(commands)], [["quiet-microphone"], ["noteQuality", "beat"]]);
    assert.deepEqual(play(state, heard(false, true))[0].troubles, []);
  });

  test("of the line ends with the call; a silent microphone is silent in the next one too", () => {
    const [state] = play(TALKING, warning(31005), warning(32001), { type: "call.over", sdkId: "leg-1", cause: "" });

    assert.deepEqual(state.troubles, ["quiet-microphone"]);
    assert.deepEqual(play(state, { type: "gate.level" })[0].troubles, [], "the check list hears it again");
  });
});

describe("a clock that stood still", () => {
  test("is a computer that slept: degraded until the next tick that is on time, and everything is asked anew", () => {
    const [slept, commands] = play(READY, { type: "tick", sinceMs: SLEPT_AFTER_MS + 1 });
    const [awake, then] = play(slept, { type: "tick", sinceMs: 10_000 });

    assert.deepEqual([slept.troubles, names(commands)], [["asleep"], ["beat", "fetchMe", "refetchTalk"]]);
    assert.deepEqual([awake.troubles, names(then)], [[], ["beat"]]);
  });

  test("that is on time only beats", () => {
    assert.deepEqual(play(READY, { type: "tick", sinceMs: 10_000 }), [READY, [{ do: "beat" }]]);
  });
});
