import assert from "node:assert/strict";
import { test } from "node:test";

import { sums } from "../../static/js/lib/basket.js";

const offer = (upfront, monthly, currency = "USD") => ({ upfront, monthly, currency });

test("prices are added up to the cent", () => {
  const three = Array(3).fill(offer("0.1000", "1.1000"));

  assert.deepEqual(sums(three, "en"), { upfront: "0.30 USD", monthly: "3.30 USD" });
});

test("a price that nobody told makes its sum unknown, and no other", () => {
  assert.deepEqual(sums([offer("1.0000", "1.0000"), offer("", "2.0000")], "en"), { upfront: "?", monthly: "3.00 USD" });
});

test("nothing costs nothing", () => {
  assert.deepEqual(sums([], "en"), { upfront: "0.00", monthly: "0.00" });
});

test("amounts are written as people of the language write them", () => {
  assert.equal(sums([offer("1234.5000", "1.0000")], "es").monthly, "1,00 USD");
});
