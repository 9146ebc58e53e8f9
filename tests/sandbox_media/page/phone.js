// The unmodified SDK on a bare page: `phone` is what the tests drive and ask.
const phone = { client: null, calls: {}, last: null, seen: [], ended: {} };

phone.connect = (options) => {
  const client = new TelnyxWebRTC.TelnyxRTC({
    iceServers: [],
    enableCallReports: false,
    hangupOnBeforeUnload: false,
    ...options,
  });
  client.remoteElement = "remote";
  client.on("telnyx.ready", () => phone.seen.push("ready"));
  client.on("telnyx.error", ({ error }) => phone.seen.push(`error ${error.code}`));
  client.on("telnyx.socket.close", () => phone.seen.push("socket closed"));
  client.on("telnyx.notification", ({ call, type }) => {
    if (type !== "callUpdate") return;
    phone.calls[call.id] = phone.last = call;
    phone.seen.push(call.state);
    // The first terminal cause is the one that counts.
    if (call.state === "hangup") phone.ended[call.id] ??= `${call.cause}/${call.causeCode}/${call.sipCode}`;
  });
  phone.client = client;
  client.connect();
};

phone.facts = () => ({
  id: phone.last.id,
  state: phone.last.state,
  number: phone.last.options.remoteCallerNumber,
  name: phone.last.options.remoteCallerName,
  headers: phone.last.options.customHeaders,
  ids: phone.last.telnyxIDs,
  recovered: phone.last.recoveredCallId ?? null,
});

// What the page hears: loudness (0..1) and strongest frequency, the median of windows over `ms`.
phone.listen = async (ms) => {
  const context = new AudioContext();
  await context.resume();
  const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(phone.last.remoteStream).connect(analyser);
  const wave = new Float32Array(analyser.fftSize);
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const hz = [];
  const rms = [];
  // The first window is half empty.
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const end = performance.now() + ms; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    analyser.getFloatTimeDomainData(wave);
    analyser.getFloatFrequencyData(spectrum);
    rms.push(Math.sqrt(wave.reduce((sum, v) => sum + v * v, 0) / wave.length));
    hz.push((spectrum.indexOf(Math.max(...spectrum)) * context.sampleRate) / analyser.fftSize);
  }
  await context.close();
  return { hz: median(hz), rms: median(rms) };
};

window.phone = phone;
