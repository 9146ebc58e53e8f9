import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { backoffMs, Live } from "../../static/js/lib/live.js";

class FakeSocket {
  static all = [];
  readyState = 0;
  sent = [];

  constructor(url) {
    this.url = url;
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(text);
  }

  close() {
    this.onclose({ code: 1006 });
  }

  say(push) {
    this.onmessage({ data: JSON.stringify(push) });
  }
}

/** Timers that run when the test says so. */
class FakeClock {
  timers = new Map();
  #next = 1;

  setTimeout(run, afterMs) {
    this.timers.set(this.#next, { run, afterMs });
    return this.#next++;
  }

  setInterval(run, everyMs) {
    return this.setTimeout(run, everyMs);
  }

  clearTimeout(id) {
    this.timers.delete(id);
  }

  clearInterval(id) {
    this.timers.delete(id);
  }

  run(afterMs) {
    for (const [id, timer] of [...this.timers]) {
      if (timer.afterMs !== afterMs) continue;
      this.timers.delete(id);
      timer.run();
    }
  }

  get waits() {
    return [...this.timers.values()].map((timer) => timer.afterMs);
  }
}

let clock, live, heard;

beforeEach(() => {
  FakeSocket.all = [];
  clock = new FakeClock();
  heard = [];
  live = new Live("ws://live/ws/live", { WebSocket: FakeSocket, clock, random: () => 1 });
  for (const name of ["up", "down"]) live.addEventListener(name, () => heard.push(name));
  live.addEventListener("push", ({ detail }) => heard.push(detail.type));
  live.connect();
});

const last = () => FakeSocket.all.at(-1);

describe("the socket", () => {
  test("is up only when the server said that it listens to the groups", () => {
    assert.equal(live.isUp, false);

    last().say({ type: "live" });
    last().say({ type: "call.ended", call_id: "7" });

    assert.equal(live.isUp, true);
    assert.deepEqual(heard, ["up", "call.ended"]);
  });

  test("that broke comes back, and says up again so that the page refetches", () => {
    last().say({ type: "live" });
    last().close();
    clock.run(500);
    last().say({ type: "live" });

    assert.deepEqual(heard, ["up", "down", "up"]);
    assert.equal(FakeSocket.all.length, 2);
  });

  test("that cannot be opened is tried more and more slowly, and is down once", () => {
    const waits = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      last().close();
      waits.push(clock.waits[0]);
      clock.run(clock.waits[0]);
    }

    assert.deepEqual(waits, [500, 1_000, 2_000, 4_000]);
    assert.deepEqual(heard, ["down"]);
  });

  test("that was closed because nobody is logged in is not tried again", () => {
    last().onclose({ code: 4401 });

    assert.deepEqual(clock.waits, []);
  });

  test("whose other end vanished without a word is closed by the missing pong", () => {
    last().say({ type: "live" });
    clock.run(25_000);
    assert.deepEqual(last().sent, ["ping"]);

    clock.run(8_000);

    assert.deepEqual(heard, ["up", "down"]);
  });

  test("that answers the ping stays", () => {
    last().say({ type: "live" });
    clock.run(25_000);
    last().say({ type: "pong" });

    assert.ok(!clock.waits.includes(8_000));
    assert.equal(live.isUp, true);
  });
});

for (const [attempt, random, expectedMs] of [
  [0, 1, 500],
  [0, 0, 250],
  [3, 1, 4_000],
  [50, 1, 20_000],
  [50, 0, 10_000],
]) {
  test(`the wait before attempt ${attempt} with chance ${random} is ${expectedMs} ms`, () => {
    assert.equal(backoffMs(attempt, random), expectedMs);
  });
}
