import assert from "node:assert/strict";
import { test } from "node:test";

import { sums } from "../../static/js/lib/basket.js";

const offer = (upfront, monthly, currency = "USD") => ({ upfront, monthly, currency });

test("prices are added up to the cent", () => {
  const three = Array(3).fill(offer("0.1000", "1.1000"));

  assert.deepEqual(sums(three), { upfront: "0.30 USD", monthly: "3.30 USD" });
});

test("a price that nobody told makes its sum unknown, and no other", () => {
  assert.deepEqual(sums([offer("1.0000", "1.0000"), offer("", "2.0000")]), { upfront: "?", monthly: "3.00 USD" });
});

test("nothing costs nothing", () => {
  assert.deepEqual(sums([]), { upfront: "0.00", monthly: "0.00" });
});
