import assert from "node:assert/strict";
import { test } from "node:test";

import * as time from "../../static/js/lib/timeline.js";

const line = time.joined([{ durationS: 60 }, { durationS: 25 }, { durationS: 0 }, { durationS: 10 }]);

test("segments stand on one line of time", () => {
  assert.deepEqual(
    line.segments.map(({ atS }) => atS),
    [0, 60, 85, 85],
  );
  assert.equal(line.lengthS, 95);
});

test("what was kept out is known on the line of all segments", () => {
  const gapped = time.joined([{ durationS: 60 }, { durationS: 25, gaps: [{ at_s: 5, missing_s: 30.4 }] }]);
  assert.deepEqual(time.gapsOf(gapped), [{ atS: 65, missingS: 30.4 }]);
});

for (const [momentS, index, offsetS] of [
  [0, 0, 0],
  [59.9, 0, 59.9],
  [60, 1, 0],
  [84, 1, 24],
  [85, 3, 0],
  [95, 3, 10],
  [-5, 0, 0],
  [500, 3, 10],
]) {
  test(`second ${momentS} is in segment ${index}`, () => {
    assert.deepEqual(time.placeOf(line, momentS), { index, offsetS });
  });
}

/** Peaks of two channels, ten a second: each letter is a second of L, R, B(oth) or a dot for nobody. */
function wave(seconds) {
  const peaks = [...seconds].flatMap((who) =>
    Array.from({ length: 10 }, () => [
      who === "L" || who === "B" ? 200 : 5,
      who === "R" || who === "B" ? 200 : 5,
    ]).flat(),
  );
  return { peaks: Uint8Array.from(peaks), channels: 2, perS: 10 };
}

for (const [seconds, heard, silences] of [
  ["LL...RR", [true, true], [[2, 5]]],
  ["L.R.B", [true, true], []],
  ["LRRRL", [true, false], [[1, 4]]],
  [
    "..L..",
    [true, true],
    [
      [0, 2],
      [3, 5],
    ],
  ],
  ["LLRR", [], []],
  ["", [true, true], []],
]) {
  test(`the silences of ${seconds || "nothing"} for ${heard}`, () => {
    assert.deepEqual(time.silencesOf(wave(seconds), heard), silences);
  });
}

for (const [offsetS, next] of [
  [1.9, null],
  [2.1, null],
  [2.3, 4.75],
  [4.4, 4.75],
  [4.6, null],
  [5, null],
]) {
  test(`at ${offsetS} s the silence from 2 to 5 leads to ${next}`, () => {
    assert.equal(time.afterSilence([[2, 5]], offsetS), next);
  });
}

test("what is skipped is counted", () => {
  assert.equal(
    time.skippedS([
      [2, 5],
      [10, 12],
    ]),
    4,
  );
});

for (const [left, right, heard] of [
  [{}, {}, [true, true]],
  [{ muted: true }, {}, [false, true]],
  [{ solo: true }, {}, [true, false]],
  [{ muted: true, solo: true }, {}, [true, false]],
  [{ muted: true }, { muted: true }, [false, false]],
]) {
  test(`${JSON.stringify(left)} and ${JSON.stringify(right)}: ${heard}`, () => {
    assert.deepEqual(time.heardOf([left, right]), heard.map(Boolean));
    assert.deepEqual(
      time.mixOf([left, right], true).map(({ gain }) => gain),
      heard.map(Number),
    );
  });
}

for (const [what, before, index, after] of [
  ["muted", [{}, {}], 0, [{ muted: true }, {}]],
  ["muted", [{ muted: true }, {}], 0, [{ muted: false }, {}]],
  ["solo", [{ solo: true, muted: true }, {}], 1, [{ solo: false, muted: true }, { solo: true }]],
  ["solo", [{ solo: true }, {}], 0, [{ solo: false }, {}]],
  ["muted", [{}, { solo: true }], 0, [{ muted: true }, { solo: true }]],
]) {
  test(`${what} pressed of ${index} in ${JSON.stringify(before)}`, () => {
    assert.deepEqual(time.switched(before, index, what), after);
  });
}

test("two voices sound apart, one alone in the middle, and nobody knows whose are unnamed ones", () => {
  const [left, right] = time.mixOf([{}, {}], true);
  assert.ok(left.pan < 0 && right.pan > 0);
  assert.equal(time.mixOf([{ solo: true }, {}], true)[0].pan, 0);
  assert.deepEqual(
    time.mixOf([{ muted: true }, {}], false).map(({ pan }) => pan),
    [0, 0],
  );
  assert.ok(time.mixOf([{ muted: true }, {}], false)[0].gain > 0);
});

for (const [key, on, meant] of [
  [" ", "slider", { what: "toggle" }],
  [" ", "button", null],
  ["k", "button", { what: "toggle" }],
  ["K", "other", { what: "toggle" }],
  ["j", "other", { what: "by", seconds: -10 }],
  ["l", "other", { what: "by", seconds: 10 }],
  ["ArrowRight", "button", { what: "by", seconds: 5 }],
  ["ArrowUp", "button", null],
  ["ArrowUp", "slider", { what: "by", seconds: 5 }],
  ["7", "other", { what: "to", part: 0.7 }],
  ["7", "choice", null],
  ["Home", "slider", { what: "to", part: 0 }],
  [">", "other", { what: "speed", steps: 1 }],
  ["Escape", "choice", { what: "close" }],
  ["s", "other", { what: "skip" }],
  ["x", "other", null],
  ["Tab", "slider", null],
]) {
  test(`${key === " " ? "space" : key} on ${on} means ${JSON.stringify(meant)}`, () => {
    assert.deepEqual(time.keyed({ key }, on), meant);
  });
}

test("keys of the browser stay the browser's", () => {
  for (const held of ["ctrlKey", "metaKey", "altKey"])
    assert.equal(time.keyed({ key: "l", [held]: true }, "other"), null);
});

for (const [speed, steps, next] of [
  [1, 1, 1.25],
  [2, 1, 2],
  [0.75, -1, 0.75],
  [3, 1, 1.25],
]) {
  test(`from ${speed}× by ${steps} to ${next}×`, () => assert.equal(time.nextSpeed(speed, steps), next));
}

for (const [seconds, text] of [
  [0, "0:00"],
  [65.9, "1:05"],
  [3725, "1:02:05"],
  [-1, "0:00"],
]) {
  test(`${seconds} s is written ${text}`, () => assert.equal(time.clock(seconds), text));
}

for (const [search, hash, momentS] of [
  ["?t=83", "", 83],
  ["", "#t=83", 83],
  ["?t=1:23", "", 83],
  ["?t=1:02:05", "", 3725],
  ["?t=83.5s", "", 83.5],
  ["?older=1&t=0", "", 0],
  ["?t=-3", "", null],
  ["?t=soon", "", null],
  ["", "", null],
]) {
  test(`${search}${hash} names ${momentS}`, () => assert.equal(time.momentIn({ search, hash }), momentS));
}

test("a link leads back to the moment that it was made at", () => {
  const link = new URL(time.linkTo("http://curbe.test", "/calls/7/", 83.9, "r1"));
  assert.equal(link.href, "http://curbe.test/calls/7/?t=83&recording=r1");
  assert.equal(time.momentIn(link), 83);
});

test("a short recording fills its picture, a long one keeps its loudest", () => {
  const peaks = Uint8Array.from([10, 1, 20, 2, 30, 3, 40, 4]);
  assert.deepEqual(
    time.columnsOf({ peaks, channels: 2 }, 2).map((columns) => [...columns]),
    [
      [20, 40],
      [2, 4],
    ],
  );
  assert.deepEqual(
    time.columnsOf({ peaks: Uint8Array.from([7, 9]), channels: 1 }, 4).map((columns) => [...columns]),
    [[7, 7, 9, 9]],
  );
});
