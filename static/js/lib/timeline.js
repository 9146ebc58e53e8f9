// What the player knows, apart from the page: segments on one line of time, silences, channels, keys, links.

/** Peaks below this are silence: 255 × √(1 %), which is 40 dB under the loudest. */
const SILENT_BELOW = 26;
/** A pause for breath is speech; from here on it is waiting. */
const SHORTEST_SILENCE_S = 1.2;
/** Left of a silence on both sides, so that no word is cut. */
const KEPT_S = 0.25;
export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];
/** How far apart two voices sound: told from each other, and still both in both ears. */
const APART = 0.7;
/** The same voice on both channels adds up. */
const TOGETHER = 0.8;

/** Return the segments with `atS` (begin) and the whole `lengthS`. */
export function joined(segments) {
  let atS = 0;
  const placed = segments.map((segment) => {
    const one = { ...segment, atS };
    atS += segment.durationS;
    return one;
  });
  return { segments: placed, lengthS: atS };
}

/** Return what was kept out of the recordings: where on the line of time, and for how long. */
export function gapsOf(line) {
  return line.segments.flatMap(({ atS, gaps = [] }) =>
    gaps.map((gap) => ({ atS: atS + gap.at_s, missingS: gap.missing_s })),
  );
}

/** Return {index, offsetS}: which segment that moment is in, and where in it. */
export function placeOf(line, momentS) {
  const clamped = clamp(momentS, 0, line.lengthS);
  let index = line.segments.findLastIndex((segment) => segment.atS <= clamped);
  // The very end belongs to the last segment that has a length.
  while (index > 0 && line.segments[index].durationS === 0) index -= 1;
  return { index, offsetS: clamped - line.segments[index].atS };
}

/** Return the silences of a segment, [fromS, toS] each, in those of its channels that are heard. */
export function silencesOf({ peaks, channels, perS }, heard) {
  const found = [];
  const moments = Math.floor(peaks.length / channels);
  let from = -1;
  for (let moment = 0; moment <= moments; moment += 1) {
    const isSilent = moment < moments && isSilentAt(peaks, channels, moment, heard);
    if (isSilent && from < 0) from = moment;
    if (!isSilent && from >= 0) {
      if ((moment - from) / perS >= SHORTEST_SILENCE_S) found.push([from / perS, moment / perS]);
      from = -1;
    }
  }
  return found;
}

function isSilentAt(peaks, channels, moment, heard) {
  for (let channel = 0; channel < channels; channel += 1) {
    if ((heard[channel] ?? true) && peaks[moment * channels + channel] >= SILENT_BELOW) return false;
  }
  return true;
}

/** Return where to go on if `offsetS` lies in a silence; null if it does not, or the rest is not worth a jump. */
export function afterSilence(silences, offsetS) {
  const hit = silences.find(([fromS, toS]) => offsetS >= fromS + KEPT_S && offsetS < toS - 2 * KEPT_S);
  return hit ? hit[1] - KEPT_S : null;
}

export function skippedS(silences) {
  return silences.reduce((sum, [fromS, toS]) => sum + (toS - fromS - 2 * KEPT_S), 0);
}

/** Nobody is muted, and nobody stands alone. */
export const UNSWITCHED = Object.freeze([0, 1].map(() => Object.freeze({ muted: false, solo: false })));

/** Return the channels after one of `muted` and `solo` was pressed of one. */
export function switched(channels, index, what) {
  const isOn = !channels[index]?.[what];
  return channels.map((channel, at) => {
    if (at === index) return { ...channel, [what]: isOn };
    // Two voices that are each alone are both heard, which is what nobody means.
    return what === "solo" && isOn ? { ...channel, solo: false } : channel;
  });
}

/** Return per channel whether it is heard: one that stands alone silences the others, else what is not muted. */
export function heardOf(channels) {
  const isAlone = channels.some(({ solo }) => solo);
  return channels.map(({ muted, solo }) => (isAlone ? Boolean(solo) : !muted));
}

/** Return per channel {gain, pan}; unnamed channels hold everybody, and a file of one channel has only the first. */
export function mixOf(channels, isNamed) {
  if (!isNamed) return channels.map(() => ({ gain: TOGETHER, pan: 0 }));
  const heard = heardOf(channels);
  const isOneAlone = heard.filter(Boolean).length === 1;
  return heard.map((isHeard, index) => ({
    gain: isHeard ? 1 : 0,
    pan: isOneAlone ? 0 : index === 0 ? -APART : APART,
  }));
}

const KEYS = {
  " ": { what: "toggle" },
  k: { what: "toggle" },
  j: { what: "by", seconds: -10 },
  l: { what: "by", seconds: 10 },
  ArrowLeft: { what: "by", seconds: -5 },
  ArrowRight: { what: "by", seconds: 5 },
  ArrowDown: { what: "by", seconds: -5 },
  ArrowUp: { what: "by", seconds: 5 },
  PageDown: { what: "by", seconds: -30 },
  PageUp: { what: "by", seconds: 30 },
  Home: { what: "to", part: 0 },
  End: { what: "to", part: 1 },
  "<": { what: "speed", steps: -1 },
  ">": { what: "speed", steps: 1 },
  s: { what: "skip" },
  Escape: { what: "close" },
};

/** Return what a key means, or null. `on`: "slider", "button", "choice" (a list with keys of its own) or "other". */
export function keyed({ key, ctrlKey, metaKey, altKey }, on) {
  if (ctrlKey || metaKey || altKey) return null;
  if (key !== "Escape" && on === "choice") return null;
  // Space presses the button that it stands on; up and down scroll unless they move the slider.
  if (key === " " && on === "button") return null;
  if (["ArrowUp", "ArrowDown", "PageUp", "PageDown"].includes(key) && on !== "slider") return null;
  if (/^[0-9]$/.test(key)) return { what: "to", part: Number(key) / 10 };
  return KEYS[key] ?? KEYS[key.toLowerCase()] ?? null;
}

export function nextSpeed(speed, steps) {
  const index = SPEEDS.indexOf(speed);
  return SPEEDS[clamp((index < 0 ? 1 : index) + steps, 0, SPEEDS.length - 1)];
}

/** Return `1:05` or `1:02:05`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

/** Return the moment that an address names (`?t=83`, `#t=83`, `#t=1:23`), in seconds; null if it names none. */
export function momentIn({ search, hash }) {
  const text = new URLSearchParams(search).get("t") ?? new URLSearchParams(hash.replace(/^#/, "")).get("t");
  if (!text || !/^\d{1,3}(:\d{1,2}){0,2}$|^\d{1,6}(\.\d+)?s?$/.test(text)) return null;
  return text.split(":").reduce((sum, part) => sum * 60 + Number.parseFloat(part), 0);
}

/** Return the link to a moment of a call; `recording` says which one if the call has several to hear. */
export function linkTo(origin, path, momentS, recording) {
  const query = new URLSearchParams({ t: String(Math.floor(momentS)) });
  if (recording) query.set("recording", recording);
  return `${origin}${path}?${query}`;
}

/** Return the largest peak per column of the picture, channel by channel. */
export function columnsOf({ peaks, channels }, width) {
  const moments = Math.floor(peaks.length / channels);
  return Array.from({ length: channels }, (_, channel) => {
    const columns = new Uint8Array(width);
    for (let moment = 0; moment < moments; moment += 1) {
      // Each peak covers all the columns that its moment does: a short recording has more columns than peaks.
      const first = Math.floor((moment * width) / moments);
      const last = Math.max(first + 1, Math.floor(((moment + 1) * width) / moments));
      const peak = peaks[moment * channels + channel];
      for (let column = first; column < last; column += 1) if (peak > columns[column]) columns[column] = peak;
    }
    return columns;
  });
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
