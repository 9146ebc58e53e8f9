import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { names, play, READY, TALKING, talkOf, told } from "./phone_states.js";

const CONSULT = { may: ["complete", "cancel", "merge", "swap", "leave"] };

describe("what the server says of the call", () => {
  test("is asked for as soon as the line has sound", () => {
    const ringing = play(READY, { type: "invite", sdkId: "leg-1", callId: "call-1", recovered: false, atMs: 1 })[0];
    const [, commands] = play(ringing, { type: "answer" }, { type: "call.active", sdkId: "leg-1", atMs: 2 });

    assert.ok(names(commands).includes("fetchTalk"));
  });

  test("is asked for anew at each push of this call, and of no other", () => {
    assert.deepEqual(play(TALKING, { type: "talk.changed", callId: "call-1" })[1], [
      { do: "fetchTalk", callId: "call-1" },
    ]);
    assert.deepEqual(play(TALKING, { type: "talk.changed", callId: "call-9" })[1], []);
  });

  test("is asked for anew when pushes may have been missed, and later when the server was away", () => {
    assert.deepEqual(names(play(TALKING, { type: "talk.missed" })[1]), ["fetchTalk"]);
    assert.deepEqual(play(READY, { type: "talk.missed" })[1], []);
    const [, [again]] = play(TALKING, { type: "talk.failed", callId: "call-1" });
    assert.deepEqual(names(play(TALKING, again.event)[1]), ["fetchTalk"]);
  });

  test("of another call changes nothing", () => {
    const [state] = play(TALKING, { type: "talk", callId: "call-9", talk: talkOf("HELD") });

    assert.equal(state.talk.phase, "TALKING");
  });

  test("is forgotten with the call", () => {
    const [state] = play(TALKING, { type: "call.over", sdkId: "leg-1", cause: "NORMAL_CLEARING" });

    assert.deepEqual([state.talk, state.wish, state.panel], [null, "", ""]);
  });
});

describe("a wish", () => {
  test("that shows before its own answer is here keeps the next one waiting for nothing", () => {
    const [state, commands] = play(
      TALKING,
      { type: "talk.wish", wish: "consult", to: { agent: 2 } },
      { type: "talk", callId: "call-1", talk: talkOf("CONSULT_RINGING", CONSULT) },
      { type: "talk.wish", wish: "cancel" },
    );

    assert.deepEqual([state.wish, commands[0].wish], ["cancel", "cancel"]);
    const late = { type: "talk.granted", callId: "call-1", wish: "consult", talk: talkOf("CONSULT_RINGING", CONSULT) };
    assert.equal(play(state, late)[0].wish, "cancel", "the late answer of the other one ends only that");
  });

  test("goes out once, however often its button is pressed", () => {
    const [state, commands] = play(TALKING, { type: "hold" });

    assert.deepEqual(commands, [{ do: "wish", wish: "hold", to: null, callId: "call-1" }]);
    assert.equal(state.wish, "hold");
    assert.deepEqual(play(state, { type: "hold" })[1], []);
  });

  test("that the server does not offer now is not sent", () => {
    for (const wish of ["unhold", "complete", "swap"])
      assert.deepEqual(play(TALKING, { type: "talk.wish", wish })[1], [], wish);
  });

  test("of somebody who was only asked is not sent", () => {
    const [asked] = play(TALKING, told("CONSULTING", { mine: false, ...CONSULT }));

    assert.deepEqual(play(asked, { type: "talk.wish", wish: "complete" })[1], []);
  });

  test("that was granted brings how the call stands, and closes the panel of transfers", () => {
    const [open] = play(TALKING, { type: "panel", panel: "transfer" });
    const [state] = play(
      open,
      { type: "talk.wish", wish: "consult", to: { agent: 2 } },
      { type: "talk.granted", callId: "call-1", wish: "consult", talk: talkOf("CONSULT_RINGING", CONSULT) },
    );

    assert.deepEqual([state.talk.phase, state.wish, state.panel], ["CONSULT_RINGING", "", ""]);
  });

  test("that was refused shows the server's sentence, and keeps the call as it was", () => {
    const refused = { type: "talk.refused", callId: "call-1", wish: "transfer", error: "That person cannot." };
    const [state, commands] = play(TALKING, { type: "talk.wish", wish: "transfer", to: { agent: 2 } }, refused);

    assert.deepEqual([state.refused, state.wish, state.talk.phase], ["That person cannot.", "", "TALKING"]);
    assert.deepEqual(names(commands), ["fetchTalk"]);
    assert.equal(play(state, { type: "hold" })[0].refused, "", "the next wish takes the sentence away");
  });
});

describe("hold", () => {
  test("is taken back by the same button", () => {
    const [held] = play(TALKING, told("HELD", { may: ["unhold", "consult", "transfer", "leave"], held: true }));

    assert.equal(play(held, { type: "hold" })[1][0].wish, "unhold");
  });

  test("is not undone by a double click while both are on their way into the room", () => {
    const [moving] = play(TALKING, told("PROMOTING", { may: ["unhold", "cancel", "leave"] }));

    assert.deepEqual(play(moving, { type: "hold" })[1], []);
  });
});

describe("keys", () => {
  test("go by the line in a plain call, and by the server from a room", () => {
    const [inRoom] = play(TALKING, told("TALKING", { inRoom: true }));
    const pressed = { type: "digits", digits: "12#" };

    assert.deepEqual(play(TALKING, pressed)[1], [{ do: "digits", sdkId: "leg-1", digits: "12#" }]);
    assert.deepEqual(play(inRoom, pressed)[1], [{ do: "sendDigits", callId: "call-1", digits: "12#" }]);
  });
});

describe("the red button", () => {
  for (const [what, talk, command] of [
    ["ends a plain call for both", told("TALKING"), "endByServer"],
    ["ends a call on hold for both", told("HELD"), "endByServer"],
    ["leaves a call in which somebody else is asked", told("CONSULTING", CONSULT), "leave"],
    ["leaves a call of three", told("MERGED", CONSULT), "leave"],
    ["of whoever was asked takes nobody along", told("CONSULTING", { mine: false, may: [] }), "hangup"],
    ["of whoever was asked and talks with both takes nobody along", told("MERGED", { mine: false, may: [] }), "hangup"],
    ["of somebody who took the call over ends it", told("TALKING", { mine: true }), "endByServer"],
  ])
    test(what, () => {
      const [state, commands] = play(TALKING, talk, { type: "end", atMs: 60_000 });

      assert.equal(state.call.phase, "ending");
      assert.equal(commands.at(-1).do, command);
    });

  test("of a call that the server cannot leave hangs up by the line", () => {
    const [leaving] = play(TALKING, told("CONSULTING", CONSULT), { type: "end", atMs: 60_000 });

    assert.deepEqual(names(play(leaving, { type: "end.failed", sdkId: "leg-1" })[1]), ["hangup"]);
    const [, [later]] = play(leaving, { type: "leave.done", sdkId: "leg-1" });
    assert.deepEqual(names(play(leaving, later.event)[1]), ["hangup"], "the line did not notice");
  });
});

describe("what stands open beside the call", () => {
  test("is one thing at a time, and goes with a second press", () => {
    const [keypad] = play(TALKING, { type: "panel", panel: "keypad" });
    const [transfer] = play(keypad, { type: "panel", panel: "transfer" });

    assert.deepEqual([keypad.panel, transfer.panel], ["keypad", "transfer"]);
    assert.equal(play(transfer, { type: "panel", panel: "transfer" })[0].panel, "");
  });

  test("closes when the call cannot be given away any more", () => {
    const [state] = play(TALKING, { type: "panel", panel: "transfer" }, told("CONSULT_RINGING", CONSULT));

    assert.equal(state.panel, "");
  });
});

describe("after a reload", () => {
  const BACK = { type: "invite", sdkId: "leg-1", callId: "call-1", recovered: true, muted: true, atMs: 1 };

  test("the call is muted as it was, before anybody hears the room", () => {
    const [, commands] = play(READY, BACK, { type: "call.active", sdkId: "leg-1", atMs: 2 });

    assert.deepEqual(
      commands.find((command) => command.do === "mute"),
      { do: "mute", sdkId: "leg-1", muted: true },
    );
  });

  test("a call out that is dialled is known as one by the server's word", () => {
    const dialling = told("DIALLING", { direction: "outbound", may: ["leave"] });
    const [state] = play(READY, { ...BACK, muted: false }, dialling);

    assert.ok(state.call.isOut);
  });
});

test("a microphone that the server muted is opened by the server", () => {
  const [state] = play(TALKING, told("TALKING", { serverMuted: true, may: ["unmute"] }));

  assert.equal(play(state, { type: "mute" })[1][0].wish, "unmute");
});
