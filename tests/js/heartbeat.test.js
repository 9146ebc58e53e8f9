import assert from "node:assert/strict";
import { test } from "node:test";

import { bodyOf, eventOf, isDue } from "../../static/js/phone/heartbeat.js";
import { INITIAL } from "../../static/js/phone/machine.js";

const PASSED = { ...INITIAL.gate, isPassed: true, isOpen: false };
const READY = { ...INITIAL, gate: PASSED, holder: "here", line: "ready", microphone: "granted" };
const WHO = { agentId: 7, companyId: "b5325600", phoneId: "phone", now: new Date("2026-11-21T07:00:00Z") };

test("a heartbeat carries what the server derives the presence from", () => {
  assert.deepEqual(bodyOf(READY, WHO), {
    agentId: 7,
    companyId: "b5325600",
    phoneId: "phone",
    timestamp: "2026-11-21T07:00:00.000Z",
    ready: true,
    microphone: true,
    degraded: false,
  });
});

for (const [what, state, expected] of [
  ["the line is lost", { ...READY, line: "lost" }, { ready: false, microphone: true }],
  ["the microphone is refused", { ...READY, microphone: "refused" }, { ready: true, microphone: false }],
  ["the microphone was only asked for", { ...READY, microphone: "asked" }, { ready: true, microphone: false }],
]) {
  test(`a heartbeat while ${what} makes nobody available`, () => {
    const { ready, microphone } = bodyOf(state, WHO);

    assert.deepEqual({ ready, microphone }, expected);
  });
}

for (const holder of ["unknown", "tab", "elsewhere", "taking"]) {
  test(`a phone that is held by "${holder}" does not beat`, () => assert.equal(isDue({ ...READY, holder }), false));
}

test("nobody beats after the log-out", () => assert.equal(isDue({ ...READY, signedOut: true }), false));

for (const [answer, event] of [
  [{ status: 200, body: { presence: "AVAILABLE", phone: "here" } }, "beat.answered"],
  [{ status: 0, body: {} }, "beat.failed"],
  [{ status: 502, body: {} }, "beat.failed"],
  [{ status: 401, body: {} }, "beat.refused"],
  [{ status: 403, body: {} }, "beat.refused"],
]) {
  test(`an answer of ${answer.status} is ${event}`, () => assert.equal(eventOf(answer, READY).type, event));
}

test("an answer knows which grant it was asked under: it may have been overtaken", () => {
  const answer = { status: 200, body: { presence: "AVAILABLE", phone: "elsewhere" } };

  assert.equal(eventOf(answer, { ...READY, oursUs: 7 }).oursUs, 7);
});
