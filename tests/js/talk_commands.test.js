import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { talkCommands } from "../../static/js/phone/commands/talk.js";

const CALL = "01a21983-cb4c-74cf-ad4e-e47d8b336b86";

/** A server whose answers come in the order that the test says; `told` is what the machine heard. */
let asked;
let told;
let commands;

beforeEach(() => {
  asked = [];
  told = [];
  commands = talkCommands({ tell: (event) => told.push(event), view: {} });
  globalThis.document = {
    querySelector: () => ({ content: "csrf" }),
    body: { dataset: {} },
  };
  globalThis.fetch = (path) => new Promise((answer) => asked.push({ path, answer }));
});

afterEach(() => {
  delete globalThis.document;
  delete globalThis.fetch;
});

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

async function answer(index, status, phase) {
  asked[index].answer({
    status,
    headers: new Headers({ "content-type": "application/json" }),
    json: async () => ({ phase, since: "2026-11-26T20:19:15Z", consult: null }),
  });
  await settled();
}

const heard = () => told.map((event) => [event.type, event.talk?.phase ?? event.callId]);

test("the answer to a wish does not silence news that was asked for meanwhile", async () => {
  commands.wish({ wish: "hold", to: null, callId: CALL });
  commands.fetchTalk({ callId: CALL });
  await answer(0, 202, "PROMOTING");
  await answer(1, 200, "HELD");

  assert.deepEqual(heard(), [
    ["talk.granted", "PROMOTING"],
    ["talk.changed", CALL],
  ]);
});

test("the answer to a wish is enough when nothing was asked meanwhile", async () => {
  commands.wish({ wish: "hold", to: null, callId: CALL });
  await answer(0, 202, "HELD");

  assert.deepEqual(heard(), [["talk.granted", "HELD"]]);
});

test("an older word does not come after a newer one", async () => {
  commands.fetchTalk({ callId: CALL });
  commands.fetchTalk({ callId: CALL });
  await answer(1, 200, "HELD");
  await answer(0, 200, "TALKING");

  assert.deepEqual(heard(), [["talk", "HELD"]]);
});
