import assert from "node:assert/strict";
import { test } from "node:test";

import { Pace } from "../../static/js/lib/pace.js";

test("a row is fetched at once, pushes that come together once", () => {
  const pace = new Pace();
  pace.fetched("row", 10_000);
  assert.equal(pace.delayMs("row", false, 10_001), 120);
});

test("a whole list is fetched at once, and then once a second", () => {
  const pace = new Pace();
  assert.equal(pace.delayMs("list", true, 10_000), 120);
  pace.fetched("list", 10_120);
  assert.equal(pace.delayMs("list", true, 10_200), 920);
  assert.equal(pace.delayMs("other", true, 10_200), 120);
  assert.equal(pace.delayMs("list", true, 11_500), 120);
});
