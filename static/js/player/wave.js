// Draws how loud the segments are: a lane per channel, what was heard in another colour.

import { columnsOf, gapsOf } from "../lib/timeline.js";

const BORDER_PX = 1;
const GAP_PX = 3;
/** 255 × √(4 %). */
const QUIETEST = 51;

export class Wave {
  #canvas;
  #columns = new Map();
  /** Of so many segments, this was the loudest: looked for again when another one is there. */
  #loudest = { of: 0, peak: QUIETEST };

  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** Forget the columns of a segment, or of all: the width or the peaks changed. */
  forget() {
    this.#columns.clear();
    this.#loudest = { of: 0, peak: QUIETEST };
  }

  /** `line` from `joined`; `waves`: id → {peaks, channels, perS}; `heard`: per channel whether it sounds. */
  draw(line, waves, momentS, heard) {
    const context = this.#fit();
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const style = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, width, height);
    if (this.#loudest.of !== waves.size) this.#loudest = { of: waves.size, peak: loudestOf(waves) };
    const loudest = this.#loudest.peak;
    const perS = line.lengthS > 0 ? width / line.lengthS : 0;
    for (const segment of line.segments) {
      const left = Math.round(segment.atS * perS);
      const right = Math.round((segment.atS + segment.durationS) * perS);
      const wave = waves.get(segment.id);
      if (segment.atS > 0) this.#border(context, left, height, style);
      if (right > left)
        this.#segment(context, segment.id, wave, { left, right, height, heard, x: momentS * perS, style, loudest });
    }
    for (const { atS } of gapsOf(line)) this.#border(context, Math.round(atS * perS) - 1, height, style, GAP_PX);
    context.fillStyle = style.color;
    context.fillRect(Math.min(momentS * perS, width - 2), 0, 2, height);
  }

  #segment(context, id, wave, { left, right, height, heard, x, style, loudest }) {
    const lanes = wave?.peaks.length ? this.#columnsOf(id, wave, right - left) : [null];
    const lane = height / lanes.length;
    for (const [channel, columns] of lanes.entries()) {
      const middle = lane * channel + lane / 2;
      context.globalAlpha = lanes.length === 1 || heard[channel] ? 1 : 0.25;
      for (let column = 0; column < right - left; column += 1) {
        // Half of the storage's root is taken back: the eye is to see loud and quiet, and still the quiet.
        const part = columns ? (columns[column] / loudest) ** 1.4 : 0;
        const half = Math.max(0.5, part * (lane / 2 - 1));
        context.fillStyle = left + column < x ? style.color : style.textDecorationColor;
        context.fillRect(left + column, middle - half, 1, half * 2);
      }
    }
    context.globalAlpha = 1;
  }

  #columnsOf(id, wave, width) {
    const key = `${id} ${width}`;
    if (!this.#columns.has(key)) this.#columns.set(key, columnsOf(wave, width));
    return this.#columns.get(key);
  }

  #border(context, x, height, style, width = BORDER_PX) {
    context.fillStyle = style.caretColor;
    context.fillRect(x, 0, width, height);
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = globalThis.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#columns.clear();
    }
    const context = this.#canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    return context;
  }
}

/** The loudest voice fills its lane, whatever the telephone made of it; noise alone does not. */
function loudestOf(waves) {
  let loudest = QUIETEST;
  for (const { peaks } of waves.values()) for (const peak of peaks) if (peak > loudest) loudest = peak;
  return loudest;
}
