// What is seen of the player: puts words, numbers and pictures where the template has places for them. Knows no audio.

import * as time from "../lib/timeline.js";
import { Wave } from "./wave.js";

const SAID_FOR_MS = 2_500;

export class Panel {
  #root;
  #wave;

  constructor(root) {
    this.#root = root;
    this.#wave = new Wave(this.one("canvas"));
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  one(name) {
    return this.#root.querySelector(`[data-player-${name}]`);
  }

  /** Show the player with nothing in it yet but a title. */
  open(title) {
    this.#root.hidden = false;
    this.#wave.forget();
    this.title(title, "");
    this.say("");
    this.names(null);
    this.left("gaps", "");
    this.left("pending", "");
    this.skipped(0);
    this.download(null);
    this.one("copy").hidden = true;
  }

  close() {
    this.#root.hidden = true;
  }

  title(text, link) {
    const element = this.one("what");
    element.textContent = text;
    // Without a call there is nowhere to go: a link to the page itself would load it anew, and what was typed there goes.
    if (link) element.setAttribute("href", link);
    else element.removeAttribute("href");
    // A link that htmx has taken up leads where it led then.
    globalThis.htmx?.process(element);
  }

  /** Say what went wrong (`failed`, `forbidden`), in words that are read out too; nothing: it is all right again. */
  say(what) {
    this.one("said").textContent = what ? this.#root.dataset[what] : "";
  }

  /** Say what the recording lacks (`gaps`, `pending`): a jump in the sound is to surprise nobody. */
  left(name, amount) {
    const element = this.one(name);
    element.hidden = !amount;
    element.textContent = element.dataset.words.replace(`{${name}}`, amount);
  }

  names(names) {
    this.one("channels").hidden = !names;
    for (const [index, group] of this.#channels()) {
      const name = names?.[index] ?? "";
      group.querySelector("[data-player-name]").textContent = name;
      group.setAttribute("aria-label", name);
    }
  }

  speed(speed) {
    this.one("speed").value = String(speed);
  }

  skipping(isSkipping) {
    this.one("skip").setAttribute("aria-pressed", String(isSkipping));
  }

  skipped(seconds) {
    this.one("silence").textContent = seconds >= 1 ? time.clock(seconds) : "";
  }

  download(address) {
    const link = this.one("download");
    link.hidden = !address;
    if (address) link.href = address;
  }

  copied(isDone) {
    const words = this.one("copy").querySelector("[aria-live]");
    // A second press while the first is still answered must not take the answer for the label.
    words.dataset.label ??= words.textContent;
    words.textContent = isDone ? this.#root.dataset.copied : this.#root.dataset.notCopied;
    setTimeout(() => (words.textContent = words.dataset.label), SAID_FOR_MS);
  }

  paused(isPaused) {
    const { playLabel, pauseLabel } = this.#root.dataset;
    this.one("toggle").setAttribute("aria-label", isPaused ? playLabel : pauseLabel);
    for (const icon of this.#root.querySelectorAll("[data-player-icon]")) {
      icon.hidden = (icon.dataset.playerIcon === "play") !== isPaused;
    }
  }

  switched(channels) {
    for (const [index, group] of this.#channels()) {
      const { muted = false, solo = false } = channels[index] ?? {};
      group.querySelector("[data-player-mute]").setAttribute("aria-pressed", String(muted));
      group.querySelector("[data-player-solo]").setAttribute("aria-pressed", String(solo));
    }
  }

  /** `isSaid`: a screen reader may speak of it. While it plays it may not: it would count the seconds over the voices. */
  moment(line, waves, momentS, { heard, isSaid }) {
    this.#wave.draw(line, waves, momentS, heard);
    const [at, length] = [time.clock(momentS), time.clock(line.lengthS)];
    this.one("at").textContent = at;
    this.one("length").textContent = length;
    const slider = this.one("wave");
    slider.setAttribute("aria-valuemax", String(Math.round(line.lengthS)));
    if (!isSaid) return;
    slider.setAttribute("aria-valuenow", String(Math.round(momentS)));
    slider.setAttribute("aria-valuetext", this.#root.dataset.of.replace("{at}", at).replace("{length}", length));
  }

  #channels() {
    return [...this.#root.querySelectorAll("[data-player-channel]")].entries();
  }
}
