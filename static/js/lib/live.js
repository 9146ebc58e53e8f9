// The socket to the live process: reconnects by itself and says when something may have been missed.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 8_000;
/** The server closed because nobody is logged in: asking again changes nothing. */
export const CLOSED_FOR_NOBODY = 4401;

/** Return the wait before attempt n (0, 1, …); `random` in [0, 1) spreads the pages after a restart of the server. */
export function backoffMs(attempt, random) {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(longest * (0.5 + random / 2));
}

/** Events: `push` (detail is the push), `up` (refetch: what came before was not heard), `down`. */
export class Live extends EventTarget {
  #url;
  #socket = null;
  #attempt = 0;
  #ping = null;
  #pong = null;
  #clock;

  constructor(url, { WebSocket = globalThis.WebSocket, clock = globalThis, random = Math.random } = {}) {
    super();
    this.#url = url;
    this.#clock = { ...pick(clock), WebSocket, random };
  }

  isUp = false;

  connect() {
    const socket = new this.#clock.WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(data));
    socket.onclose = ({ code }) => this.#onClose(socket, code);
  }

  /** Try at once, for example because the network is back. */
  hurry() {
    if (this.isUp || this.#socket?.readyState === 0) return;
    this.#clock.clearTimeout(this.#retry);
    this.connect();
  }

  #retry = null;

  #onMessage(push) {
    if (push.type === "live") return this.#onUp();
    if (push.type === "pong") return this.#clock.clearTimeout(this.#pong);
    return this.dispatchEvent(new CustomEvent("push", { detail: push }));
  }

  #onUp() {
    this.isUp = true;
    this.#attempt = 0;
    this.#ping = this.#clock.setInterval(() => this.#check(), PING_EVERY_MS);
    this.dispatchEvent(new Event("up"));
  }

  // A socket whose other end vanished stays open for many minutes unless somebody asks.
  #check() {
    this.#socket.send("ping");
    this.#clock.clearTimeout(this.#pong);
    this.#pong = this.#clock.setTimeout(() => this.#socket.close(), PONG_WITHIN_MS);
  }

  #onClose(socket, code) {
    if (socket !== this.#socket) return;
    this.#clock.clearInterval(this.#ping);
    this.#clock.clearTimeout(this.#pong);
    const wasUp = this.isUp;
    this.isUp = false;
    if (wasUp || this.#attempt === 0) this.dispatchEvent(new CustomEvent("down", { detail: { code } }));
    if (code === CLOSED_FOR_NOBODY) return;
    const delayMs = backoffMs(this.#attempt, this.#clock.random());
    this.#attempt += 1;
    this.#retry = this.#clock.setTimeout(() => this.connect(), delayMs);
  }
}

function pick(clock) {
  return {
    setTimeout: clock.setTimeout.bind(clock),
    clearTimeout: clock.clearTimeout.bind(clock),
    setInterval: clock.setInterval.bind(clock),
    clearInterval: clock.clearInterval.bind(clock),
  };
}
