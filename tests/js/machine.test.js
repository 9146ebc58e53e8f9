import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  ANSWER_TIMEOUT_MS,
  CLAIM_AGAIN_MS,
  DECLINED_FOR_MS,
  hasLiveCall,
  INITIAL,
  isReady,
  MOST_TAKES,
  step,
} from "../../static/js/phone/machine.js";

/** Moments of claims, as the server numbers them: earlier than ours, ours, later than ours. */
const [EARLIER, OURS, LATER] = [1_000, 2_000, 3_000];
const READY = Object.freeze({
  ...INITIAL,
  gate: { ...INITIAL.gate, isPassed: true, isOpen: false },
  holder: "here",
  oursUs: OURS,
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

/** The push of a claim; this browser's phone is "ours". */
const claimedBy = (phoneId, claimedUs = LATER) => ({ type: "phone.claimed", phoneId, mine: "ours", claimedUs });
const names = (commands) => commands.map((command) => command.do);
const ELSEWHERE = play(READY, { type: "claim.elsewhere", oursUs: OURS })[0];
const ringing = () => play(READY, INVITE)[0];
const talking = () => play(READY, INVITE, { type: "answer" }, { type: "call.active", sdkId: "leg-1", atMs: 5_000 })[0];

describe("an incoming call", () => {
  test("rings, shows the caller and reports the ids", () => {
    const [state, commands] = play(READY, INVITE);

    assert.equal(state.call.phase, "incoming");
    assert.deepEqual(commands, ["forget", "showCaller", "fetchTalk", "ring", "reportIds"]);
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
    const [state, commands] = play(talking(), claimedBy("logged-out"));
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
      { type: "gate.remembered" },
      { type: "lock.here" },
      { type: "claim.granted", claimedUs: OURS },
      { type: "line.ready" },
    );

    assert.ok(isReady(state));
    assert.deepEqual(commands, ["checkMicrophone", "askForLock", "claim", "forget", "connect", "beat"]);
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
    const [, , commands] = play(ELSEWHERE, { type: "use.here" });

    assert.equal(isReady(ELSEWHERE), false);
    assert.deepEqual(commands, [{ do: "claim", takeOver: true }]);
  });

  test("is asked for once, however often the button is pressed", () => {
    const [, commands] = play(ELSEWHERE, { type: "use.here" }, { type: "use.here" });

    assert.equal(commands.filter((name) => name === "claim").length, 1);
  });

  for (const event of [
    claimedBy("theirs"),
    { type: "beat.answered", presence: "NO_DEVICE", phone: "elsewhere", oursUs: OURS },
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
    assert.equal(play(READY, claimedBy("ours", OURS))[0], READY);
  });
});

describe('whoever says "use the phone here" gets it', () => {
  const GRANTED = { type: "claim.granted", claimedUs: LATER + 1 };

  for (const failure of ["claim.failed", "claim.no-credential"]) {
    test(`though the server says ${failure} at first: it is asked again, and still to take it over`, () => {
      const [waiting, , commands] = play(ELSEWHERE, { type: "use.here" }, { type: failure });
      assert.deepEqual([waiting.holder, commands.at(-1).afterMs], ["taking", CLAIM_AGAIN_MS]);

      const [, , again] = play(waiting, commands.at(-1).event);
      assert.deepEqual(again, [{ do: "claim", takeOver: true }]);

      assert.equal(play(waiting, commands.at(-1).event, GRANTED)[0].holder, "here");
    });

    test(`from another tab too, when the server says ${failure} at first`, () => {
      const [mirror] = play(INITIAL, { type: "lock.tab" }, { type: "use.here" }, { type: "lock.here", takeOver: true });
      const [, , commands] = play(mirror, { type: failure });

      assert.deepEqual(play(mirror, { type: failure }, commands.at(-1).event)[2], [{ do: "claim", takeOver: true }]);
    });
  }

  test("or is told after a minute, and may say it anew", () => {
    const tries = Array.from({ length: MOST_TAKES }, () => ({ type: "claim.failed" }));
    const [state, , commands] = play(ELSEWHERE, { type: "use.here" }, ...tries);

    assert.deepEqual([state.holder, state.line, names(commands)], ["elsewhere", "off", ["tellServerIsAway"]]);
    assert.equal(play(state, { type: "use.here" })[0].takesFailed, 0);
  });

  // What was asked before, or told of before, and is heard only now.
  const LATE = {
    "a beat's answer": { type: "beat.answered", presence: "NO_DEVICE", phone: "elsewhere", oursUs: OURS },
    "the answer to an older question": { type: "claim.elsewhere", oursUs: OURS },
    "the push of an older claim": claimedBy("theirs", EARLIER),
    "the push of the claim that this one undid": claimedBy("theirs", LATER),
    "the push of a log-out before": claimedBy("logged-out", LATER),
  };
  for (const [what, late] of Object.entries(LATE)) {
    test(`whatever ${what} says after the grant`, () => {
      const [state] = play(ELSEWHERE, { type: "use.here" }, GRANTED, { type: "line.ready" }, late);

      assert.ok(isReady(state));
    });

    test(`whatever ${what} says before the grant`, () => {
      const [state] = play(ELSEWHERE, { type: "use.here" }, late, GRANTED, { type: "line.ready" });

      assert.ok(isReady(state));
    });
  }

  test("unless somebody else said so later: the later claim holds it, whichever is heard first", () => {
    const theirs = claimedBy("theirs", GRANTED.claimedUs + 1);

    for (const events of [
      [theirs, GRANTED],
      [GRANTED, theirs],
    ]) {
      const [state] = play(ELSEWHERE, { type: "use.here" }, ...events);
      assert.equal(state.holder, "elsewhere");
    }
  });

  test("and who says so elsewhere while the server is away from here is not undone by our next try", () => {
    const [state, , commands] = play(ELSEWHERE, { type: "use.here" }, { type: "claim.failed" }, claimedBy("theirs"));

    assert.equal(state.holder, "elsewhere");
    assert.deepEqual(commands.at(-1), { do: "forget", name: "claim" });
    assert.deepEqual(play(state, { type: "claim.again" })[2], []);
  });

  test("two of our own claims that cross do not undo each other", () => {
    const [state] = play(
      READY,
      { type: "claim.granted", claimedUs: LATER },
      { type: "claim.granted", claimedUs: OURS },
    );

    assert.deepEqual([state.holder, state.oursUs], ["here", LATER]);
  });

  test("a grant that comes after another tab took the lock connects nothing here", () => {
    const [state, , commands] = play(ELSEWHERE, { type: "use.here" }, { type: "lock.lost" }, GRANTED);

    assert.equal(state.holder, "tab");
    assert.deepEqual(commands, []);
  });

  test("an answer that is older than our grant is not waited for: the phone asks again until its line is up", () => {
    const [, , commands] = play(INITIAL, { type: "lock.here" }, claimedBy("ours", OURS), {
      type: "claim.elsewhere",
      oursUs: 0,
    });

    assert.deepEqual(commands[0].event, { type: "claim.again" });
  });

  test("a failure that is heard when nobody waits for it any more changes nothing", () => {
    for (const type of ["claim.failed", "claim.no-credential"]) assert.equal(play(ELSEWHERE, { type })[0], ELSEWHERE);
  });
});

describe("a call whose tab was closed", () => {
  const ME = { type: "me", presence: "ON_CALL", intent: "AVAILABLE", callId: "call-1" };
  const held = () => play(READY, ME)[0];

  test("is asked for as soon as the server says that there is one", () => {
    for (const event of [
      { type: "presence", presence: "ON_CALL" },
      { type: "beat.answered", presence: "ON_CALL", phone: "here", oursUs: OURS },
    ]) {
      assert.ok(play(READY, event)[1].includes("fetchMe"));
      assert.ok(!play(held(), event)[1].includes("fetchMe"), "once is enough");
      assert.ok(!play(talking(), event)[1].includes("fetchMe"), "this one is up here");
    }
  });

  test("is ended by the server, once, however often the button is pressed", () => {
    const [state, , commands] = play(held(), { type: "end.held" });
    assert.deepEqual(commands, [{ do: "endHeld", callId: "call-1" }]);

    assert.deepEqual(play(state, { type: "end.held" })[2], []);
    assert.equal(play(state, ME)[0].held.ending, true);
    const [done] = play(state, { type: "end.held.done", callId: "call-1" });
    assert.deepEqual([done.held, done.endedCallId], [null, "call-1"]);
  });

  test("that the server could not end may be tried again", () => {
    const [state, , commands] = play(held(), { type: "end.held" }, { type: "end.held.failed", callId: "call-1" });

    assert.deepEqual(state.held, { callId: "call-1", ending: false });
    assert.deepEqual(names(commands), ["tellServerIsAway"]);
  });

  test("is forgotten when it is over, and when its sound comes back", () => {
    assert.equal(play(held(), { type: "presence", presence: "AVAILABLE" })[0].held, null);
    assert.equal(play(held(), { ...INVITE, recovered: true })[0].held, null);
  });

  test("is not the call that was ended here and that the server has not let go yet", () => {
    const [state] = play(talking(), { type: "call.over", sdkId: "leg-1" }, { type: "ended.seen" }, ME);

    assert.equal(state.endedCallId, "call-1");
    assert.equal(play(state, INVITE)[0].endedCallId, "");
  });
});

describe("the status that the agent chose", () => {
  test("in another tab or on another computer is shown here", () => {
    const [state] = play(READY, { type: "me", presence: "BREAK", intent: "BREAK", callId: "" });

    assert.deepEqual([state.intent, state.presence], ["BREAK", "BREAK"]);
  });

  test("here is not undone by what the server said before it heard", () => {
    const stale = { type: "me", presence: "AVAILABLE", intent: "AVAILABLE", callId: "" };
    const [choosing] = play(READY, { type: "intent.chosen", intent: "BREAK" }, stale);
    const [kept] = play(choosing, { type: "intent.kept", intent: "BREAK", presence: "BREAK" });

    assert.equal(choosing.intent, "BREAK");
    assert.deepEqual([kept.intent, kept.presence, kept.choosing], ["BREAK", "BREAK", ""]);
  });

  test("last is the one that counts while an older choice fails", () => {
    const [state] = play(
      READY,
      { type: "intent.chosen", intent: "BREAK" },
      { type: "intent.chosen", intent: "OFFLINE" },
      { type: "intent.failed", intent: "BREAK", before: "AVAILABLE" },
    );

    assert.equal(state.intent, "OFFLINE");
  });

  test("who did not respond says that he is back with one press", () => {
    const away = { ...READY, presence: "NOT_RESPONDING" };
    const [state, , commands] = play(away, { type: "i.am.back" });
    assert.deepEqual([names(commands), commands[0].intent], [["chooseIntent"], "AVAILABLE"]);

    assert.deepEqual(play(state, { type: "i.am.back" })[2], []);
    const [back] = play(state, { type: "intent.kept", intent: "AVAILABLE", presence: "AVAILABLE" });
    assert.equal(back.presence, "AVAILABLE");
    const [failed] = play(state, { type: "intent.failed", intent: "AVAILABLE", before: "AVAILABLE" });
    assert.deepEqual([failed.presence, failed.choosing], ["NOT_RESPONDING", ""]);
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
    const [state] = play(chosen, { type: "intent.failed", intent: "BREAK", before: commands[0].before });

    assert.equal(chosen.intent, "BREAK");
    assert.equal(state.intent, "AVAILABLE");
  });

  test("an event that the machine does not know is a bug, not a silence", () => {
    assert.throws(() => step(READY, { type: "fax" }), /knows no event fax/);
  });
});

test("keys are sent only while somebody listens", () => {
  const pressed = { type: "digits", digits: "5" };
  assert.deepEqual(play(ringing(), pressed)[1], []);
  assert.deepEqual(play(talking(), pressed)[2], [{ do: "digits", sdkId: "leg-1", digits: "5" }]);
});
