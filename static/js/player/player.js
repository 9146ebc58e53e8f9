// The player at the foot of the page: plays the segments of a call as one. State is in lib/timeline.js.

import { get } from "../lib/api.js";
import * as time from "../lib/timeline.js";
import { Sound } from "./sound.js";
import { Wave } from "./wave.js";

/** A waveform that is being made is asked for again after these. */
const ASK_AGAIN_MS = [1_000, 2_000, 4_000, 8_000];
const SAID_FOR_MS = 2_500;
const SETTINGS = "curbe.player";

export class Player extends EventTarget {
  #root;
  #audio;
  #sound;
  #wave;
  #line = { segments: [], lengthS: 0 };
  #waves = new Map();
  #silences = new Map();
  #index = 0;
  #channels = [];
  #isSkipping = false;
  #link = "";
  #shared = "";
  #opening = 0;
  /** Where in the segment to begin, once the browser knows it. */
  #pendingS = null;
  #frame = 0;

  constructor(root) {
    super();
    this.#root = root;
    this.#audio = root.querySelector("audio");
    this.#sound = new Sound(this.#audio);
    this.#wave = new Wave(this.#one("canvas"));
    this.#connect();
    this.#restore();
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  get momentS() {
    return (this.#line.segments[this.#index]?.atS ?? 0) + (this.#pendingS ?? this.#audio.currentTime);
  }

  /** Open what an address of audio belongs to. `atS` counts in that recording, `momentS` in all of the call's. */
  async open(address, { what = "", atS = 0, momentS = null, plays = true } = {}) {
    const opening = ++this.#opening;
    this.#audio.pause();
    this.#show(what);
    // Opened by the click itself: after the answer came, the browser no longer knows of it.
    if (plays) this.#sound.open().catch(() => {});
    const playlist = await this.#playlist(address);
    if (opening !== this.#opening) return;
    if (!playlist) return;
    this.#take(playlist, address);
    this.seek(momentS ?? playlist.at_s + atS);
    if (plays) this.play();
    this.#fetchWaves(opening);
  }

  play() {
    this.#sound.open().catch(() => {});
    this.#audio.play().catch(() => this.#paint());
  }

  pause() {
    this.#audio.pause();
  }

  toggle() {
    if (!this.#audio.paused) return this.pause();
    if (this.#line.lengthS > 0 && this.momentS >= this.#line.lengthS - 0.2) this.seek(0);
    return this.play();
  }

  seek(momentS) {
    if (this.#line.segments.length === 0) return;
    const { index, offsetS } = time.placeOf(this.#line, momentS);
    if (index !== this.#index || !this.#audio.getAttribute("src")) this.#load(index, offsetS);
    else if (this.#audio.readyState === 0) this.#pendingS = offsetS;
    else this.#audio.currentTime = offsetS;
    this.#paint();
  }

  close() {
    this.#opening += 1;
    this.#audio.pause();
    this.#root.hidden = true;
    this.dispatchEvent(new Event("closed"));
  }

  // --- opening ---

  async #playlist(address) {
    if (!/\/api\/recordings\/[^/]+\/audio$/.test(address)) return plainList(address);
    const { status, body } = await get(address.replace(/audio$/, "player"));
    if (status === 200) return body;
    this.#say(status === 403 ? this.#root.dataset.forbidden : this.#root.dataset.failed);
    return null;
  }

  #show(what) {
    this.#root.hidden = false;
    this.#say(what);
    this.#line = { segments: [], lengthS: 0 };
    this.#index = 0;
    this.#pendingS = null;
    this.#audio.removeAttribute("src");
    this.#waves.clear();
    this.#silences.clear();
    this.#wave.forget();
    this.#one("channels").hidden = true;
    this.#one("gaps").hidden = true;
    this.#one("download").hidden = true;
    this.#paint();
    this.#one("wave").focus({ preventScroll: true });
  }

  #take(playlist, address) {
    this.#link = playlist.link;
    this.#shared = address;
    this.#line = time.joined(
      playlist.segments.map((one) => ({
        id: one.id,
        audio: one.audio,
        download: one.download,
        waveform: one.waveform,
        durationS: one.duration_s,
        names: one.channels,
        gaps: one.gaps ?? [],
      })),
    );
    this.#channels = [0, 1].map(() => ({ muted: false, solo: false }));
    if (playlist.title) this.#say(playlist.title);
    const link = this.#one("what");
    link.setAttribute("href", this.#link);
    // A link that htmx has taken up leads where it led then.
    globalThis.htmx?.process(link);
    this.#one("copy").hidden = !this.#link;
    this.#sayGaps();
  }

  /** What was kept out is drawn, and said: a jump in the sound is to surprise nobody. */
  #sayGaps() {
    const said = this.#one("gaps");
    const gaps = time.gapsOf(this.#line).map(({ atS, missingS }) => `${time.clock(atS)} (${time.clock(missingS)})`);
    said.hidden = gaps.length === 0;
    said.textContent = said.dataset.words.replace("{gaps}", gaps.join(", "));
  }

  #load(index, offsetS) {
    const segment = this.#line.segments[index];
    const isPlaying = !this.#audio.paused;
    this.#index = index;
    this.#pendingS = offsetS;
    this.#audio.src = segment.audio;
    this.#audio.playbackRate = this.#audio.defaultPlaybackRate;
    if (isPlaying) this.#audio.play().catch(() => {});
    this.#nameChannels(segment);
    this.#mix();
  }

  async #fetchWaves(opening) {
    for (const segment of this.#line.segments) {
      const wave = segment.waveform && (await waveOf(segment.waveform));
      if (opening !== this.#opening) return;
      if (wave) this.#waves.set(segment.id, wave);
      this.#findSilences();
      this.#paint();
    }
  }

  // --- what it is set to ---

  #mix() {
    this.#sound.set(time.mixOf(this.#channels, Boolean(this.#line.segments[this.#index]?.names)));
    this.#findSilences();
  }

  #findSilences() {
    this.#silences.clear();
    for (const { id, names } of this.#line.segments) {
      const wave = this.#waves.get(id);
      const heard = names ? time.heardOf(this.#channels) : [];
      if (wave) this.#silences.set(id, time.silencesOf(wave, heard));
    }
    const skipped = [...this.#silences.values()].reduce((sum, one) => sum + time.skippedS(one), 0);
    this.#one("silence").textContent = skipped >= 1 ? time.clock(skipped) : "";
  }

  #nameChannels({ names }) {
    this.#one("channels").hidden = !names;
    for (const [index, group] of this.#root.querySelectorAll("[data-player-channel]").entries()) {
      const name = names?.[index] ?? "";
      group.querySelector("[data-player-name]").textContent = name;
      group.setAttribute("aria-label", name);
    }
  }

  #switch(group, what) {
    const channel = this.#channels[Number(group.dataset.playerChannel)];
    if (!channel) return;
    channel[what] = !channel[what];
    // Two voices that are each alone are both heard, which is what nobody means.
    if (what === "solo" && channel.solo) for (const one of this.#channels) if (one !== channel) one.solo = false;
    this.#mix();
    this.#paint();
  }

  #setSpeed(speed) {
    this.#audio.defaultPlaybackRate = speed;
    this.#audio.playbackRate = speed;
    this.#one("speed").value = String(speed);
    this.#keep();
  }

  #setSkipping(isSkipping) {
    this.#isSkipping = isSkipping;
    this.#one("skip").setAttribute("aria-pressed", String(isSkipping));
    this.#keep();
  }

  #keep() {
    const kept = { speed: this.#audio.defaultPlaybackRate, isSkipping: this.#isSkipping };
    try {
      localStorage.setItem(SETTINGS, JSON.stringify(kept));
    } catch {
      // Without a place to keep it, it holds as long as the page.
    }
  }

  #restore() {
    let kept = {};
    try {
      kept = JSON.parse(localStorage.getItem(SETTINGS) ?? "{}");
    } catch {
      // As above.
    }
    if (time.SPEEDS.includes(kept.speed)) this.#setSpeed(kept.speed);
    this.#setSkipping(kept.isSkipping === true);
  }

  // --- what happens ---

  #connect() {
    const audio = this.#audio;
    for (const name of ["play", "pause", "seeked", "timeupdate"]) audio.addEventListener(name, () => this.#paint());
    audio.addEventListener("play", () => this.#run());
    audio.addEventListener("loadedmetadata", () => this.#onLength());
    audio.addEventListener("ended", () => this.#onEnded());
    audio.addEventListener("error", () => audio.getAttribute("src") && this.#say(this.#root.dataset.failed));
    this.#root.addEventListener("keydown", (event) => this.#onKey(event));
    this.#root.addEventListener("click", (event) => this.#onClick(event));
    this.#one("speed").addEventListener("change", ({ target }) => this.#setSpeed(Number(target.value)));
    const wave = this.#one("wave");
    wave.addEventListener("pointerdown", (event) => {
      wave.setPointerCapture(event.pointerId);
      this.#seekTo(event);
    });
    wave.addEventListener("pointermove", (event) => wave.hasPointerCapture(event.pointerId) && this.#seekTo(event));
    new ResizeObserver(() => this.#paint()).observe(wave);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
  }

  #onClick({ target }) {
    const button = target.closest("button");
    const group = target.closest("[data-player-channel]");
    if (!button) return;
    if (button.matches("[data-player-toggle]")) this.toggle();
    else if (button.matches("[data-player-close]")) this.close();
    else if (button.matches("[data-player-skip]")) this.#setSkipping(!this.#isSkipping);
    else if (button.matches("[data-player-copy]")) this.#copy(button);
    else if (group) this.#switch(group, button.matches("[data-player-solo]") ? "solo" : "muted");
  }

  #onKey(event) {
    const meant = time.keyed(event, kindOf(event.target));
    if (!meant) return;
    event.preventDefault();
    // The phone listens too; here a digit is a place in the recording.
    event.stopPropagation();
    if (meant.what === "toggle") this.toggle();
    else if (meant.what === "by") this.seek(this.momentS + meant.seconds);
    else if (meant.what === "to") this.seek(this.#line.lengthS * meant.part);
    else if (meant.what === "speed") this.#setSpeed(time.nextSpeed(this.#audio.defaultPlaybackRate, meant.steps));
    else if (meant.what === "skip") this.#setSkipping(!this.#isSkipping);
    else this.close();
  }

  #seekTo({ clientX }) {
    const { left, width } = this.#one("wave").getBoundingClientRect();
    this.seek(time.clamp((clientX - left) / width, 0, 1) * this.#line.lengthS);
  }

  #onLength() {
    // The row says whole seconds; the file knows better. Streams without an end have no length.
    const { duration } = this.#audio;
    const segment = this.#line.segments[this.#index];
    if (segment && Number.isFinite(duration) && duration > 0) {
      const known = this.#line.segments.map((one) => (one === segment ? { ...one, durationS: duration } : one));
      this.#line = time.joined(known);
    }
    if (this.#pendingS !== null) this.#audio.currentTime = this.#pendingS;
    this.#pendingS = null;
    this.#paint();
  }

  #onEnded() {
    if (this.#index + 1 >= this.#line.segments.length) return this.#paint();
    this.#load(this.#index + 1, 0);
    return this.play();
  }

  #run() {
    cancelAnimationFrame(this.#frame);
    const step = () => {
      if (this.#audio.paused) return;
      this.#skip();
      this.#paint();
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #skip() {
    if (!this.#isSkipping || this.#audio.seeking || this.#pendingS !== null) return;
    const silences = this.#silences.get(this.#line.segments[this.#index]?.id);
    const toS = silences && time.afterSilence(silences, this.#audio.currentTime);
    if (toS) this.#audio.currentTime = toS;
  }

  async #copy(button) {
    const words = button.querySelector("[aria-live]");
    button.dataset.label ??= words.textContent;
    const link = time.linkTo(location.origin, this.#link, this.momentS, this.#shared.split("/").at(-2));
    try {
      await navigator.clipboard.writeText(link);
      words.textContent = this.#root.dataset.copied;
    } catch {
      words.textContent = this.#root.dataset.notCopied;
    }
    setTimeout(() => (words.textContent = button.dataset.label), SAID_FOR_MS);
  }

  // --- what is seen ---

  #paint() {
    if (!this.isOpen) return;
    const { momentS } = this;
    const segment = this.#line.segments[this.#index];
    const heard = segment?.names ? time.heardOf(this.#channels) : [true, true];
    this.#wave.draw(this.#line, this.#waves, momentS, heard);
    const [at, length] = [time.clock(momentS), time.clock(this.#line.lengthS)];
    this.#one("at").textContent = at;
    this.#one("length").textContent = length;
    this.#paintSlider(momentS, at, length);
    this.#paintToggle();
    this.#paintChannels();
    const download = this.#one("download");
    download.hidden = !segment?.download;
    if (segment?.download) download.href = segment.download;
    this.dispatchEvent(
      new CustomEvent("moment", { detail: { recording: segment?.id, offsetS: this.#audio.currentTime } }),
    );
  }

  #paintSlider(momentS, at, length) {
    const slider = this.#one("wave");
    slider.setAttribute("aria-valuemax", String(Math.round(this.#line.lengthS)));
    slider.setAttribute("aria-valuenow", String(Math.round(momentS)));
    slider.setAttribute("aria-valuetext", this.#root.dataset.of.replace("{at}", at).replace("{length}", length));
  }

  #paintToggle() {
    const isPaused = this.#audio.paused;
    const { playLabel, pauseLabel } = this.#root.dataset;
    this.#one("toggle").setAttribute("aria-label", isPaused ? playLabel : pauseLabel);
    for (const icon of this.#root.querySelectorAll("[data-player-icon]")) {
      icon.hidden = (icon.dataset.playerIcon === "play") !== isPaused;
    }
  }

  #paintChannels() {
    for (const [index, group] of this.#root.querySelectorAll("[data-player-channel]").entries()) {
      const { muted = false, solo = false } = this.#channels[index] ?? {};
      group.querySelector("[data-player-mute]").setAttribute("aria-pressed", String(muted));
      group.querySelector("[data-player-solo]").setAttribute("aria-pressed", String(solo));
    }
  }

  #say(text) {
    this.#one("what").textContent = text;
  }

  #one(name) {
    return this.#root.querySelector(`[data-player-${name}]`);
  }
}

/** Audio that is no recording of a call (a greeting): one segment of unknown length. */
function plainList(address) {
  const segment = { id: address, audio: address, download: null, waveform: "", duration_s: 0, channels: null };
  return { title: "", link: "", at_s: 0, segments: [segment] };
}

async function waveOf(address) {
  for (const waitMs of [...ASK_AGAIN_MS, null]) {
    const { status, body } = await get(address);
    if (status === 200) return waveFrom(body);
    if (status !== 202 || waitMs === null) return null;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return null;
}

function waveFrom({ peaks, channels, per_s: perS }) {
  return { peaks: Uint8Array.from(atob(peaks), (letter) => letter.charCodeAt(0)), channels, perS };
}

function kindOf(element) {
  if (element.matches("select, input, textarea")) return "choice";
  if (element.matches("[role=slider]")) return "slider";
  return element.closest("button, a, summary") ? "button" : "other";
}
