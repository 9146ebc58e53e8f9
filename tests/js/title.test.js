import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { RingingTitle } from "../../static/js/phone/title.js";

/** A document whose observer is told when the test says so, as a browser's is told after the script. */
let page;
let watcher;
class FakeObserver {
  constructor(tell) {
    this.tell = () => this.isOn && tell();
    watcher = this;
  }
  observe() {
    this.isOn = true;
  }
  disconnect() {
    this.isOn = false;
  }
}

beforeEach(() => {
  page = { title: "Today", head: {} };
});

const ringing = () => {
  const title = new RingingTitle({ document: page, MutationObserver: FakeObserver });
  title.start("Incoming call");
  return title;
};

test("it rings in the title, and gives it back", () => {
  const title = ringing();
  assert.equal(page.title, "● Incoming call");

  title.stop();
  assert.equal(page.title, "Today");
});

test("a walk to another page does not stop it, and the other page has its own title afterwards", () => {
  const title = ringing();
  page.title = "Calls";
  watcher.tell();
  assert.equal(page.title, "● Incoming call");

  title.stop();
  assert.equal(page.title, "Calls");
});

test("a page that came just before the end keeps its title", () => {
  const title = ringing();
  page.title = "Calls";
  title.stop();

  assert.equal(page.title, "Calls");
});

test("after the end nothing is held any more", () => {
  const title = ringing();
  title.stop();
  page.title = "Calls";
  watcher.tell();
  title.stop();

  assert.equal(page.title, "Calls");
});
