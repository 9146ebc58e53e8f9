// Makes an incoming call heard and seen: a ring tone of its own (no file to load), the title, a notification.

import { RingingTitle } from "./title.js";

const RING_HZ = [440, 554.37];
const RING_ON_S = 0.9;
const RING_EVERY_MS = 3_000;
const RING_GAIN = 0.12;

export class Ringer {
  #context = null;
  #timer = null;
  #title = new RingingTitle();
  #notification = null;

  /** Browsers let a page sound only after the person touched it: called on the first touch. */
  unlock() {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") this.#context.resume();
    if (window.Notification?.permission === "default") Notification.requestPermission();
  }

  start(words) {
    this.stop();
    this.#context ??= new AudioContext();
    this.#context.resume().catch(() => {});
    this.#ring();
    this.#timer = setInterval(() => this.#ring(), RING_EVERY_MS);
    this.#title.start(words);
  }

  /** Show who calls outside of the page, when the person is looking elsewhere. */
  notify(title, body) {
    if (this.#timer === null || !document.hidden || window.Notification?.permission !== "granted") return;
    this.#notification = new Notification(title, { body, tag: "curbe-call", requireInteraction: true });
    this.#notification.onclick = () => window.focus();
  }

  stop() {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#title.stop();
    this.#notification?.close();
    this.#notification = null;
  }

  #ring() {
    const context = this.#context;
    if (context.state !== "running") return;
    const gain = context.createGain();
    gain.connect(context.destination);
    const begin = context.currentTime;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(RING_GAIN, begin + 0.04);
    gain.gain.setValueAtTime(RING_GAIN, begin + RING_ON_S - 0.1);
    gain.gain.linearRampToValueAtTime(0, begin + RING_ON_S);
    for (const hz of RING_HZ) {
      const tone = context.createOscillator();
      tone.frequency.value = hz;
      tone.connect(gain);
      tone.start(begin);
      tone.stop(begin + RING_ON_S);
    }
  }
}
