// What WebRTC's statistics say about the sound of a call. Pure.

/** Less is the noise of an open line. */
const SOUND_LEVEL = 0.001;

/** Return the figures of one look at RTCPeerConnection.getStats(). */
export function measured(reports) {
  const audio = (one, type) => one.type === type && (one.kind === "audio" || one.mediaType === "audio");
  const inbound = reports.find((one) => audio(one, "inbound-rtp")) ?? {};
  const outbound = reports.find((one) => audio(one, "outbound-rtp")) ?? {};
  const source = reports.find((one) => audio(one, "media-source")) ?? {};
  const pair = reports.find((one) => one.type === "candidate-pair" && one.nominated) ?? {};
  return {
    bytesIn: inbound.bytesReceived ?? 0,
    bytesOut: outbound.bytesSent ?? 0,
    levelIn: inbound.audioLevel ?? 0,
    levelOut: source.audioLevel ?? 0,
    packetsIn: inbound.packetsReceived ?? 0,
    packetsLost: inbound.packetsLost ?? 0,
    jitterMs: Math.round((inbound.jitter ?? 0) * 1_000),
    rttMs: Math.round((pair.currentRoundTripTime ?? 0) * 1_000),
  };
}

/** Return what was heard between two looks, and how well. */
export function compared(before, now) {
  const packets = now.packetsIn - before.packetsIn;
  const lost = Math.max(0, now.packetsLost - before.packetsLost);
  const lossPercent = packets + lost > 0 ? (100 * lost) / (packets + lost) : 0;
  return {
    inbound: now.bytesIn > before.bytesIn && now.levelIn > SOUND_LEVEL,
    outbound: now.bytesOut > before.bytesOut && now.levelOut > SOUND_LEVEL,
    jitterMs: now.jitterMs,
    rttMs: now.rttMs,
    lossPercent: Math.round(lossPercent * 10) / 10,
    mos: mosOf({ latencyMs: now.jitterMs + now.rttMs / 2, lossPercent }),
  };
}

/** The E-model as the SDK reckons it (docs/telnyx-assumptions.md): 1 is unbearable, 4.4 the best of a telephone. */
export function mosOf({ latencyMs, lossPercent }) {
  const delay = 0.024 * latencyMs + (latencyMs > 177.3 ? 0.11 * (latencyMs - 177.3) : 0);
  const r = 93.2 - delay - 20 * Math.log(1 + lossPercent);
  const mos = 1 + 0.035 * r + 0.000007 * r * (r - 60) * (100 - r);
  return Math.round(Math.min(5, Math.max(1, mos)) * 100) / 100;
}

/** What is posted of a call: the worst of what was measured, so that a bad minute is not averaged away. */
export function worse(known, { mos, jitterMs, rttMs, lossPercent }) {
  if (known === null) return { mos, jitter_ms: jitterMs, rtt_ms: rttMs, loss_percent: lossPercent };
  return {
    mos: Math.min(known.mos, mos),
    jitter_ms: Math.max(known.jitter_ms, jitterMs),
    rtt_ms: Math.max(known.rtt_ms, rttMs),
    loss_percent: Math.max(known.loss_percent, lossPercent),
  };
}
