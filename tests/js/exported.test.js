import assert from "node:assert/strict";
import { test } from "node:test";

import { isBroken, linesIn, refusalOf } from "../../static/js/lib/exported.js";

const CSV = "text/csv; charset=utf-8";

for (const [what, answer, refusal] of [
  ["a file", { status: 200, isRedirected: false, type: CSV }, ""],
  ["the log-in page", { status: 200, isRedirected: true, type: "text/html; charset=utf-8" }, "out"],
  ["a log-in that ran out", { status: 401, isRedirected: false, type: "" }, "out"],
  ["other exports", { status: 503, isRedirected: false, type: "application/json" }, "busy"],
  ["somebody else's page", { status: 200, isRedirected: false, type: "text/html" }, "failed"],
  ["a page of an error", { status: 500, isRedirected: false, type: "text/html" }, "failed"],
]) {
  test(`${what}: ${refusal || "kept"}`, () => assert.equal(refusalOf(answer), refusal));
}

test("lines are counted where they end", () => {
  assert.equal(linesIn(new TextEncoder().encode("Date,Time\r\n2026-11-20,")), 1);
  assert.equal(linesIn(new Uint8Array()), 0);
});

for (const [tail, broken] of [
  ["2026-11-20,09:00:00,María\r\n", false],
  ["2026-11-20,09:00:00,⚠ María\r\n", false],
  ["…09:00:00,María\r\n⚠ The export broke off here. Calls are missing.\r\n", true],
  ['…\r\n"⚠ Aquí se cortó, faltan llamadas."\r\n', true],
  ["…\r\n⚠ not the last line\r\n2026-11-20,09:00:00\r\n", false],
  ["", false],
]) {
  test(`${JSON.stringify(tail)} is ${broken ? "not " : ""}the end of a whole file`, () =>
    assert.equal(isBroken(tail), broken));
}
