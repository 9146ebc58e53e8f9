import assert from "node:assert/strict";
import { test } from "node:test";

import { clock } from "../../static/js/phone/clock.js";
import { compared, measured, mosOf, worse } from "../../static/js/phone/measuring.js";

const REPORTS = [
  {
    type: "inbound-rtp",
    kind: "audio",
    bytesReceived: 900,
    audioLevel: 0.3,
    packetsReceived: 90,
    packetsLost: 10,
    jitter: 0.02,
  },
  { type: "outbound-rtp", kind: "audio", bytesSent: 800 },
  { type: "media-source", kind: "audio", audioLevel: 0 },
  { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.08 },
];
const NOTHING = measured([]);

test("what one look at the statistics says", () => {
  const now = measured(REPORTS);

  assert.deepEqual([now.bytesIn, now.jitterMs, now.rttMs, now.packetsLost], [900, 20, 80, 10]);
  assert.equal(NOTHING.bytesIn, 0);
});

test("sound needs bytes and a level", () => {
  const { inbound, outbound, lossPercent } = compared(NOTHING, measured(REPORTS));

  assert.deepEqual([inbound, outbound, lossPercent], [true, false, 10]);
  assert.ok(!compared(measured(REPORTS), measured(REPORTS)).inbound, "no byte came since");
});

for (const [latencyMs, lossPercent, low, high] of [
  [0, 0, 4.4, 4.5],
  [60, 1, 3.8, 4.4],
  [400, 10, 1, 2.2],
])
  test(`the mean opinion of ${latencyMs} ms and ${lossPercent} % lies between ${low} and ${high}`, () => {
    const mos = mosOf({ latencyMs, lossPercent });

    assert.ok(low <= mos && mos <= high, String(mos));
  });

test("the worst of a call is what is told", () => {
  const good = { mos: 4.4, jitterMs: 3, rttMs: 10, lossPercent: 0 };
  const bad = { mos: 3.1, jitterMs: 60, rttMs: 5, lossPercent: 4 };

  assert.deepEqual(worse(worse(null, good), bad), { mos: 3.1, jitter_ms: 60, rtt_ms: 10, loss_percent: 4 });
});

for (const [ms, text] of [
  [-5_000, "0:00"],
  [65_000, "1:05"],
  [3_725_000, "1:02:05"],
])
  test(`${ms} ms is ${text}`, () => assert.equal(clock(ms), text));
