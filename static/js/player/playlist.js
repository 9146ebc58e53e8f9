// What the server tells of a recording: the segments that are heard as one, and how loud each of them is.

import { get } from "../lib/api.js";

/** A waveform that is being made is asked for again after these: a minute of talk takes a second, a night a minute. */
const ASK_AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];

/** Return {playlist, isForbidden} of an address of audio; no playlist: it cannot be had. */
export async function playlistOf(address) {
  if (!/\/api\/recordings\/[^/]+\/audio$/.test(address)) return { playlist: alone(address), isForbidden: false };
  const { status, body } = await get(address.replace(/audio$/, "player"));
  return { playlist: status === 200 ? asPlayed(body) : null, isForbidden: status === 403 };
}

/** Return {peaks, channels, perS}; null if there is none, or `isWanted()` says that nobody looks any more. */
export async function waveOf(address, isWanted) {
  for (const waitMs of [...ASK_AGAIN_MS, null]) {
    const { status, body } = await get(address);
    if (status === 200) return waveFrom(body);
    if (status !== 202 || waitMs === null) return null;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (!isWanted()) return null;
  }
  return null;
}

function asPlayed({ title, link, at_s: atS, pending, segments }) {
  const played = segments.map(({ duration_s: durationS, channels: names, gaps, ...one }) => ({
    id: one.id,
    audio: one.audio,
    download: one.download,
    waveform: one.waveform,
    durationS,
    names,
    gaps,
  }));
  return { title, link, atS, pending, segments: played };
}

/** Audio that is no recording of a call (a greeting): one segment of unknown length. */
function alone(address) {
  const segment = { id: address, audio: address, download: null, waveform: "", durationS: 0, names: null, gaps: [] };
  return { title: "", link: "", atS: 0, pending: 0, segments: [segment] };
}

function waveFrom({ peaks, channels, per_s: perS }) {
  return { peaks: Uint8Array.from(atob(peaks), (letter) => letter.charCodeAt(0)), channels, perS };
}
