import assert from "node:assert/strict";
import { test } from "node:test";

import { selectorOf } from "../../static/js/lib/same.js";

function element(localName, attributes) {
  return { localName, hasAttribute: (name) => name in attributes, getAttribute: (name) => attributes[name] };
}

for (const [what, one, selector] of [
  [
    "a button that plays",
    element("button", { "data-play": "/a/1/audio", class: "x" }),
    'button[data-play="/a/1/audio"]',
  ],
  [
    "words that play from a moment",
    element("button", { "data-play": "/a", "data-at": "1.5" }),
    'button[data-play="/a"][data-at="1.5"]',
  ],
  ["a link", element("a", { href: '/calls/?number="x"' }), 'a[href="/calls/?number=\\"x\\""]'],
  ["what nothing tells from others", element("button", { type: "button" }), ""],
]) {
  test(`${what} is found again`, () => assert.equal(selectorOf(one), selector));
}
