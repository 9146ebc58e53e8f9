import assert from "node:assert/strict";
import { test } from "node:test";

import { Notices } from "../../static/js/lib/notices.js";

test("nothing is said while nothing is the matter", () => {
  assert.deepEqual(new Notices().first, { name: "", again: null });
});

test("what the person has just tried comes before what goes on by itself, and does not take it away", () => {
  const notices = new Notices();
  const again = () => {};
  notices.set("liveDown", true);
  notices.set("pageAway", true, again);

  assert.deepEqual(notices.first, { name: "pageAway", again });
  notices.set("pageAway", false);
  assert.deepEqual(notices.first, { name: "liveDown", again: null });
});

test("the end of one trouble is not the end of another", () => {
  const notices = new Notices();
  notices.set("pageAway", true);
  notices.set("liveDown", false);

  assert.equal(notices.first.name, "pageAway");
});

test("a notice without words is a bug, not a silence", () => {
  assert.throws(() => new Notices().set("fire", true), /no notice fire/);
});
