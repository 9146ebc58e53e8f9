// The player at the foot of the page: plays the segments of a call as one. State is in lib/timeline.js, what is seen in
// panel.js, what is pressed in hands.js, what the server tells in playlist.js.

import * as time from "../lib/timeline.js";
import { listen } from "./hands.js";
import { Panel } from "./panel.js";
import { playlistOf, waveOf } from "./playlist.js";
import * as settings from "./settings.js";
import { Sound } from "./sound.js";

const NOTHING = Object.freeze({ segments: [], lengthS: 0 });

export class Player extends EventTarget {
  #audio;
  #sound;
  #panel;
  #line = NOTHING;
  #waves = new Map();
  #silences = new Map();
  #index = 0;
  #channels = [];
  #isSkipping = false;
  #link = "";
  /** The address that was opened; a link to a moment names its recording. */
  #address = "";
  /** Segments that are on their way. */
  #pending = 0;
  #opening = 0;
  /** Opens once more what could not be had. */
  #again = null;
  /** Where in the segment to begin, once the browser knows it. */
  #pendingS = null;
  #frame = 0;

  constructor(root) {
    super();
    this.#audio = root.querySelector("audio");
    this.#sound = new Sound(this.#audio);
    this.#panel = new Panel(root);
    this.#connect();
    listen(root, this);
    const { speed, isSkipping } = settings.kept();
    this.speed = speed;
    this.isSkipping = isSkipping;
  }

  get momentS() {
    return (this.#segment?.atS ?? 0) + (this.#pendingS ?? this.#audio.currentTime);
  }

  get #segment() {
    return this.#line.segments[this.#index];
  }

  /** Open what an address of audio belongs to. `atS` counts in that recording, `momentS` in all of the call's. */
  async open(address, { what = "", atS = 0, momentS = null, plays = true } = {}) {
    const here = this.#line.segments.find(({ audio }) => audio === address);
    if (here && this.#pending === 0 && momentS === null) {
      // It is open already: a word of its text was pressed. Who is muted stays so, and the focus where it is.
      this.seek(here.atS + atS);
      return this.play();
    }
    const opening = ++this.#opening;
    this.#unload();
    // What nobody pressed is not fetched yet: the audit says who listened.
    this.#audio.preload = plays ? "auto" : "none";
    this.#panel.open(what);
    this.#panel.one("wave").focus({ preventScroll: true });
    this.#paint();
    // Opened by the click itself: after the answer came, the browser no longer knows of it.
    if (plays) this.#sound.open().catch(() => {});
    const { playlist, isForbidden } = await playlistOf(address);
    if (opening !== this.#opening) return undefined;
    if (!playlist) {
      this.#again = isForbidden ? null : () => this.open(address, { what, atS, momentS });
      return this.#panel.say(isForbidden ? "forbidden" : "failed");
    }
    this.#address = address;
    this.#take(playlist);
    this.seek(momentS ?? playlist.atS + atS);
    if (plays) this.play();
    return this.#fetchWaves(opening);
  }

  play() {
    if (this.#line.segments.length === 0) return this.#again?.();
    // What broke off is asked for once more from there.
    if (this.#audio.error) this.#load(this.#index, this.#audio.currentTime);
    this.#sound.open().catch(() => {});
    return this.#audio.play().catch(() => this.#paint());
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
    this.#paint({ isSaid: true });
  }

  get lengthS() {
    return this.#line.lengthS;
  }

  get speed() {
    return this.#audio.defaultPlaybackRate;
  }

  set speed(speed) {
    this.#audio.defaultPlaybackRate = speed;
    this.#audio.playbackRate = speed;
    this.#panel.speed(speed);
    this.#keep();
  }

  get isSkipping() {
    return this.#isSkipping;
  }

  set isSkipping(isSkipping) {
    this.#isSkipping = isSkipping;
    this.#panel.skipping(isSkipping);
    this.#keep();
  }

  /** Press one of a channel's two buttons, `muted` or `solo`. */
  switch(index, what) {
    this.#channels = time.switched(this.#channels, index, what);
    this.#mix();
    this.#paint();
  }

  async copyLink() {
    // The address is that of the recording that was opened: a page may have several to hear.
    const link = time.linkTo(location.origin, this.#link, this.momentS, this.#address.split("/").at(-2));
    try {
      await navigator.clipboard.writeText(link);
      this.#panel.copied(true);
    } catch {
      this.#panel.copied(false);
    }
  }

  close() {
    this.#opening += 1;
    this.#unload();
    this.#panel.close();
    this.dispatchEvent(new Event("closed"));
  }

  // --- opening ---

  /** Let go of what was open, its sound too: nothing must play under another one's name, or where no player is seen. */
  #unload() {
    this.#audio.removeAttribute("src");
    this.#audio.load();
    this.#line = NOTHING;
    this.#index = 0;
    this.#pendingS = null;
    this.#pending = 0;
    this.#again = null;
    this.#waves.clear();
    this.#silences.clear();
  }

  #take({ title, link, pending, segments }) {
    this.#link = link;
    this.#line = time.joined(segments);
    this.#channels = time.UNSWITCHED;
    this.#pending = pending;
    if (title) this.#panel.title(title, link);
    this.#panel.one("copy").hidden = !link;
    const gaps = time.gapsOf(this.#line).map(({ atS, missingS }) => `${time.clock(atS)} (${time.clock(missingS)})`);
    this.#panel.left("gaps", gaps.join(", "));
    this.#panel.left("pending", pending || "");
  }

  #load(index, offsetS) {
    const segment = this.#line.segments[index];
    const isPlaying = !this.#audio.paused;
    this.#index = index;
    this.#pendingS = offsetS;
    this.#audio.src = segment.audio;
    // Where it begins when it is loaded; until then it has no length to go to it in.
    this.#audio.currentTime = offsetS;
    this.#audio.playbackRate = this.#audio.defaultPlaybackRate;
    if (isPlaying) this.#audio.play().catch(() => {});
    this.#panel.names(segment.names);
    this.#panel.download(segment.download);
    this.#mix();
  }

  #fetchWaves(opening) {
    const isWanted = () => opening === this.#opening;
    const fetched = this.#line.segments.map(async ({ id, waveform }) => {
      const wave = waveform && (await waveOf(waveform, isWanted));
      if (!wave || !isWanted()) return;
      this.#waves.set(id, wave);
      this.#findSilences();
      this.#paint();
    });
    return Promise.all(fetched);
  }

  // --- what it is set to ---

  #mix() {
    this.#sound.set(time.mixOf(this.#channels, Boolean(this.#segment?.names)));
    this.#findSilences();
  }

  #findSilences() {
    this.#silences.clear();
    for (const { id, names } of this.#line.segments) {
      const wave = this.#waves.get(id);
      if (wave) this.#silences.set(id, time.silencesOf(wave, names ? time.heardOf(this.#channels) : []));
    }
    this.#panel.skipped([...this.#silences.values()].reduce((sum, one) => sum + time.skippedS(one), 0));
  }

  #keep() {
    settings.keep({ speed: this.speed, isSkipping: this.#isSkipping });
  }

  // --- what happens ---

  #connect() {
    const audio = this.#audio;
    for (const name of ["play", "pause"]) audio.addEventListener(name, () => this.#paint({ isSaid: true }));
    audio.addEventListener("seeked", () => this.#paint());
    audio.addEventListener("play", () => this.#run());
    audio.addEventListener("playing", () => this.#panel.say(""));
    // Also in a tab that is not in front, which is painted by nobody.
    audio.addEventListener("timeupdate", () => this.#onMoment());
    audio.addEventListener("loadedmetadata", () => this.#onLength());
    audio.addEventListener("ended", () => this.#onEnded());
    audio.addEventListener("error", () => audio.getAttribute("src") && this.#panel.say("failed"));
    const wave = this.#panel.one("wave");
    wave.addEventListener("focus", () => this.#paint({ isSaid: true }));
    new ResizeObserver(() => this.#paint()).observe(wave);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
  }

  #onLength() {
    // The row says whole seconds; the file knows better. Streams without an end have no length.
    const { duration } = this.#audio;
    const segment = this.#segment;
    if (segment && Number.isFinite(duration) && duration > 0) {
      const known = this.#line.segments.map((one) => (one === segment ? { ...one, durationS: duration } : one));
      this.#line = time.joined(known);
    }
    if (this.#pendingS !== null) this.#audio.currentTime = this.#pendingS;
    this.#pendingS = null;
    this.#paint({ isSaid: true });
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
      this.#onMoment();
      this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #onMoment() {
    this.#skip();
    this.#paint();
  }

  #skip() {
    const { paused, seeking, currentTime } = this.#audio;
    if (!this.#isSkipping || paused || seeking || this.#pendingS !== null) return;
    const silences = this.#silences.get(this.#segment?.id);
    const toS = silences && time.afterSilence(silences, currentTime);
    if (toS) this.#audio.currentTime = toS;
  }

  #paint({ isSaid = this.#audio.paused } = {}) {
    if (!this.#panel.isOpen) return;
    const heard = this.#segment?.names ? time.heardOf(this.#channels) : [true, true];
    this.#panel.moment(this.#line, this.#waves, this.momentS, { heard, isSaid });
    this.#panel.paused(this.#audio.paused);
    this.#panel.switched(this.#channels);
  }
}
