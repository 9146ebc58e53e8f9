import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  ANSWER_TIMEOUT_MS,
  DECLINED_FOR_MS,
  hasLiveCall,
  INITIAL,
  isReady,
  step,
} from "../../static/js/phone/machine.js";

const READY = Object.freeze({
  ...INITIAL,
  holder: "here",
  line: "ready",
  microphone: "granted",
  presence: "AVAILABLE",
});
const INVITE = { type: "invite", sdkId: "leg-1", callId: "call-1", recovered: false, atMs: 1_000 };

/** Feed the events one after another; return [state, every command by name, the commands of the last event]. */
function play(state, ...events) {
  let commands = [];
  const names = [];
  for (const event of events) {
    [state, commands] = step(state, event);
    names.push(...commands.map((command) => command.do));
  }
  return [state, names, commands];
}

const names = (commands) => commands.map((command) => command.do);
const ringing = () => play(READY, INVITE)[0];
const talking = () => play(READY, INVITE, { type: "answer" }, { type: "call.active", sdkId: "leg-1", atMs: 5_000 })[0];

describe("an incoming call", () => {
  test("rings, shows the caller and reports the ids", () => {
    const [state, commands] = play(READY, INVITE);

    assert.equal(state.call.phase, "incoming");
    assert.deepEqual(commands, ["forget", "showCaller", "ring", "reportIds"]);
  });

  test("is answered once, however often the button is pressed", () => {
    const [state, commands] = play(ringing(), { type: "answer" }, { type: "answer" });

    assert.equal(state.call.phase, "answering");
    assert.deepEqual(commands, ["silence", "answer", "later"]);
  });

  test("is talked on from the moment that the line says so", () => {
    const state = talking();

    assert.equal(state.call.phase, "talking");
    assert.equal(state.call.answeredAtMs, 5_000);
  });

  test("takes its length from the server as soon as the server knows", () => {
    const [state] = play(talking(), { type: "call.answered-at", callId: "call-1", atMs: 4_200 });

    assert.equal(state.call.answeredAtMs, 4_200);
  });

  test("that is delivered twice rings once", () => {
    const [state, commands] = play(ringing(), INVITE);

    assert.equal(state.call.sdkId, "leg-1");
    assert.deepEqual(commands, []);
  });

  test("that is sent again under another leg id is the same ringing, on the newer leg", () => {
    const [state, , commands] = play(ringing(), { ...INVITE, sdkId: "leg-2" });

    assert.equal(state.call.sdkId, "leg-2");
    assert.deepEqual(names(commands), ["endLocally", "reportIds"]);
    assert.equal(commands[0].sdkId, "leg-1");
  });

  test("while another is up is refused, and the other goes on", () => {
    const [state, , commands] = play(talking(), { ...INVITE, sdkId: "leg-9", callId: "call-9" });

    assert.equal(state.call.sdkId, "leg-1");
    assert.deepEqual(commands, [{ do: "hangup", sdkId: "leg-9" }]);
  });

  test("that never gets sound is given up", () => {
    const [answering, , commands] = play(ringing(), { type: "answer" });
    assert.equal(commands.at(-1).afterMs, ANSWER_TIMEOUT_MS);

    const [state, , after] = play(answering, commands.at(-1).event);
    assert.deepEqual([state.call.phase, state.call.why, names(after)], ["ending", "lost", ["hangup"]]);
  });

  test("whose microphone is refused says so and takes the agent out", () => {
    const [state, commands] = play(
      ringing(),
      { type: "answer" },
      { type: "answer.no-microphone", sdkId: "leg-1" },
      { type: "call.over", sdkId: "leg-1", cause: "USER_BUSY" },
    );

    assert.deepEqual([state.call.why, state.microphone], ["microphone", "refused"]);
    assert.ok(commands.includes("beat"));
  });
});

describe("declining", () => {
  test("tells the server first, and hangs this leg up only then", () => {
    const [told, , first] = play(ringing(), { type: "decline", atMs: 2_000 });
    const [, , then] = play(told, { type: "decline.told", sdkId: "leg-1" });

    assert.deepEqual(names(first), ["silence", "decline"]);
    assert.deepEqual(names(then), ["hangup"]);
  });

  for (const [afterMs, rings] of [
    [DECLINED_FOR_MS - 1, false],
    [DECLINED_FOR_MS, true],
  ]) {
    test(`the provider's retry after ${afterMs} ms ${rings ? "rings: it is a new offer" : "is refused silently"}`, () => {
      const [over] = play(
        ringing(),
        { type: "decline", atMs: 2_000 },
        { type: "call.over", sdkId: "leg-1", cause: "USER_BUSY" },
        { type: "ended.seen" },
      );
      const [state] = play(over, { ...INVITE, sdkId: "leg-2", atMs: 2_000 + afterMs });

      assert.equal(hasLiveCall(state), rings);
    });
  }

  test("does nothing once the call was answered", () => {
    const [state, commands] = play(talking(), { type: "decline", atMs: 9_000 });

    assert.equal(state.call.phase, "talking");
    assert.deepEqual(commands, []);
  });
});

describe("ending", () => {
  test("asks the server, then ends here without a BYE", () => {
    const [ending, , first] = play(talking(), { type: "end" });
    const [, , then] = play(ending, { type: "end.done", sdkId: "leg-1" });

    assert.deepEqual(names(first), ["silence", "mute", "endByServer"]);
    assert.deepEqual(names(then), ["endLocally"]);
  });

  test("goes out by the SDK's own hang-up when the server cannot", () => {
    const [, , commands] = play(talking(), { type: "end" }, { type: "end.failed", sdkId: "leg-1" });

    assert.deepEqual(commands, [{ do: "hangup", sdkId: "leg-1" }]);
  });

  test("by the second half of a double click on Answer is not meant", () => {
    const [answering] = play(ringing(), { type: "answer", atMs: 1_000 });
    const [still, commands] = play(answering, { type: "end", atMs: 1_150 });
    const [ending] = play(still, { type: "end", atMs: 1_900 });

    assert.equal(still.call.phase, "answering");
    assert.deepEqual(commands, []);
    assert.equal(ending.call.phase, "ending");
  });

  test("a call, whoever logged out in another tab finishes it first", () => {
    const [state, commands] = play(talking(), { type: "phone.claimed", phoneId: "logged-out", mine: "mine" });
    const [, , after] = play(state, { type: "call.over", sdkId: "leg-1" }, { type: "ended.seen" });

    assert.deepEqual(commands, []);
    assert.equal(state.signedOut, true);
    assert.deepEqual(names(after), ["disconnect"]);
  });

  test("twice asks once", () => {
    const [, commands] = play(talking(), { type: "end" }, { type: "end" });

    assert.deepEqual(commands, ["silence", "mute", "endByServer"]);
  });

  test("while it was still being answered hangs up when the sound comes", () => {
    const [, , commands] = play(
      ringing(),
      { type: "answer" },
      { type: "end" },
      { type: "call.active", sdkId: "leg-1" },
    );

    assert.deepEqual(names(commands), ["hangup"]);
  });

  test("an unanswered call is not this button's", () => {
    const [state, commands] = play(ringing(), { type: "end" });

    assert.equal(state.call.phase, "incoming");
    assert.deepEqual(commands, []);
  });
});

describe("a call is over", () => {
  for (const [start, event, why] of [
    [ringing, { cause: "LOSE_RACE", sipCode: "502" }, "taken"],
    [ringing, { cause: "ORIGINATOR_CANCEL", sipCode: "487" }, "caller-left"],
    [talking, { cause: "NORMAL_CLEARING", sipCode: "200" }, ""],
    [talking, { cause: "SESSION_NOT_REATTACHED" }, "lost"],
  ]) {
    test(`by ${event.cause} during ${start().call.phase}: "${why}"`, () => {
      const [state, commands] = play(start(), { type: "call.over", sdkId: "leg-1", ...event });

      assert.deepEqual([state.call.phase, state.call.why], ["ended", why]);
      assert.ok(commands.includes("silence"));
    });
  }

  test("and its first cause stands", () => {
    const [state] = play(
      ringing(),
      { type: "call.over", sdkId: "leg-1", cause: "LOSE_RACE" },
      { type: "call.over", sdkId: "leg-1", cause: "NORMAL_CLEARING" },
    );

    assert.equal(state.call.why, "taken");
  });

  test("on the server, but the line did not notice: it is ended here", () => {
    const [waiting, , commands] = play(talking(), { type: "server.call-ended", callId: "call-1" });
    const [state, , then] = play(waiting, commands[0].event);

    assert.equal(state.call.phase, "ended");
    assert.equal(then[0].do, "endLocally");
  });

  test("on the server, and the line noticed in time: nothing more happens", () => {
    const [waiting, , commands] = play(talking(), { type: "server.call-ended", callId: "call-1" });
    const [, , then] = play(waiting, { type: "call.over", sdkId: "leg-1" }, commands[0].event);

    assert.deepEqual(then, []);
  });

  test("an offer that the server withdrew stops ringing, an answered one does not stop", () => {
    const [, , commands] = play(ringing(), { type: "server.offer-ended", callId: "call-1" });
    const [stopped] = play(ringing(), commands[0].event);
    const [goesOn] = play(talking(), commands[0].event);

    assert.equal(stopped.call.phase, "ended");
    assert.equal(goesOn.call.phase, "talking");
  });
});

describe("a call that outlived a reload", () => {
  const RECOVERED = { ...INVITE, recovered: true };

  test("is shown without ringing", () => {
    const [state, commands] = play(READY, RECOVERED, { type: "call.active", sdkId: "leg-1", atMs: 7_000 });

    assert.equal(state.call.phase, "talking");
    assert.ok(!commands.includes("ring"));
  });

  test("keeps the caller from hearing an agent who was muted when the line broke", () => {
    const [muted] = play(talking(), { type: "mute" }, { type: "line.lost" });
    const [, commands] = play(muted, RECOVERED, { type: "call.active", sdkId: "leg-1", atMs: 9_000 });

    assert.ok(commands.includes("mute"));
  });
});

describe("who holds the phone", () => {
  test("the tab that has the lock claims it, connects, and beats once the line is ready", () => {
    const [state, commands] = play(
      INITIAL,
      { type: "start" },
      { type: "lock.here" },
      { type: "claim.granted" },
      { type: "line.ready" },
    );

    assert.ok(isReady(state));
    assert.deepEqual(commands, ["checkMicrophone", "askForLock", "claim", "connect", "beat"]);
  });

  test("a second tab only watches, and takes it when asked", () => {
    const [mirror] = play(INITIAL, { type: "start" }, { type: "lock.tab" });
    const [, , commands] = play(mirror, { type: "use.here" });

    assert.ok(!isReady(mirror));
    assert.deepEqual(names(commands), ["stealLock"]);
  });

  test("a second tab does not take it away from a call", () => {
    const [, , commands] = play(INITIAL, { type: "lock.tab" }, { type: "tab.told", busy: true }, { type: "use.here" });

    assert.deepEqual(commands, []);
  });

  test("another computer keeps it until this one says so", () => {
    const [elsewhere] = play(READY, { type: "claim.elsewhere" });
    const [, , commands] = play(elsewhere, { type: "use.here" });

    assert.equal(isReady(elsewhere), false);
    assert.deepEqual(commands, [{ do: "claim", takeOver: true }]);
  });

  test("is asked for once, however often the button is pressed", () => {
    const [, commands] = play(READY, { type: "claim.elsewhere" }, { type: "use.here" }, { type: "use.here" });

    assert.equal(commands.filter((name) => name === "claim").length, 1);
  });

  test("a take-over that nobody answered leaves it where it was", () => {
    const [state] = play(READY, { type: "claim.elsewhere" }, { type: "use.here" }, { type: "claim.failed" });

    assert.equal(state.holder, "elsewhere");
  });

  for (const event of [
    { type: "phone.claimed", phoneId: "theirs", mine: "ours" },
    { type: "beat.answered", presence: "NO_DEVICE", phone: "elsewhere" },
  ]) {
    test(`${event.type}: another computer took it, and this line is put down`, () => {
      const [state, commands] = play(READY, event);

      assert.deepEqual([state.holder, state.line], ["elsewhere", "off"]);
      assert.ok(commands.includes("disconnect"));
    });

    test(`${event.type}: not before the call that is up here is over`, () => {
      const [during, commands] = play(talking(), event);
      const [after, then] = play(during, { type: "call.over", sdkId: "leg-1" }, { type: "ended.seen" });

      assert.ok(!commands.includes("disconnect"));
      assert.ok(then.includes("disconnect"));
      assert.equal(after.call, null);
    });
  }

  test("the push of one's own claim changes nothing", () => {
    assert.equal(play(READY, { type: "phone.claimed", phoneId: "ours", mine: "ours" })[0], READY);
  });
});

describe("trouble", () => {
  for (const [what, event] of [
    ["the line is lost", { type: "line.lost" }],
    ["the line is dead", { type: "line.dead" }],
    ["the session is over", { type: "claim.signed-out" }],
  ]) {
    test(`${what}: the phone is not ready`, () => assert.equal(isReady(play(READY, event)[0]), false));
  }

  test("a dead line is connected anew with a new token", () => {
    const [dead, , commands] = play(READY, { type: "line.dead" });
    const [, , then] = play(dead, commands.at(-1).event);

    assert.deepEqual(names(then), ["claim"]);
  });

  test("a dead line with a call on it keeps its client: a new one would cut the sound", () => {
    const [dead, , commands] = play(talking(), { type: "line.dead" });
    const [state, , then] = play(dead, commands.at(-1).event);

    assert.equal(state.call.phase, "talking");
    assert.deepEqual(names(then), ["renewToken", "later"]);
  });

  test("a line that came back by itself is left alone", () => {
    const [, , commands] = play(READY, { type: "line.dead" }, { type: "line.ready" }, { type: "claim.again" });

    assert.deepEqual(commands, []);
  });

  test("the microphone is lost: the server hears it with the next beat, which is sent at once", () => {
    const [state, commands] = play(READY, { type: "microphone", is: "missing" });

    assert.equal(state.microphone, "missing");
    assert.deepEqual(commands, ["beat"]);
  });

  test("a token about to end is renewed without touching the call", () => {
    const [state, commands] = play(talking(), { type: "token.expiring" });

    assert.equal(state.call.phase, "talking");
    assert.deepEqual(commands, ["renewToken"]);
  });

  test("a status that could not be saved goes back to what it was", () => {
    const [chosen, , commands] = play(READY, { type: "intent.chosen", intent: "BREAK" });
    const [state] = play(chosen, { type: "intent.failed", before: commands[0].before });

    assert.equal(chosen.intent, "BREAK");
    assert.equal(state.intent, "AVAILABLE");
  });

  test("an event that the machine does not know is a bug, not a silence", () => {
    assert.throws(() => step(READY, { type: "fax" }), /knows no event fax/);
  });
});

test("keys are sent only while somebody listens", () => {
  assert.deepEqual(play(ringing(), { type: "digit", digit: "5" })[1], []);
  assert.deepEqual(play(talking(), { type: "digit", digit: "5" })[2], [{ do: "digit", sdkId: "leg-1", digit: "5" }]);
});
