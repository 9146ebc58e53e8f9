// The microphone that speaks, the loudspeaker that plays, and a look at both of them.

const KEY = "curbe.devices";
const METER_EVERY_MS = 80;
/** A level that a quiet room does not reach, and a voice does at once. */
export const HEARD_LEVEL = 0.02;
const TONE_HZ = 523.25;
const TONE_GAIN = 0.15;
const TONE_ON_S = 0.35;
const TONE_EVERY_S = 0.7;

/** What was chosen in this browser; empty ids are the computer's own choice. */
export function chosenDevices() {
  try {
    return { microphone: "", speaker: "", ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { microphone: "", speaker: "" };
  }
}

export function chooseDevice(kind, id) {
  const chosen = { ...chosenDevices(), [kind]: id };
  localStorage.setItem(KEY, JSON.stringify(chosen));
  return chosen;
}

/** Shows how loud the microphone is, for as long as the check list is open. */
export class Meter {
  #tell;
  #stream = null;
  #context = null;
  #timer = null;

  /** `tell(level)` gets 0 to 1. */
  constructor(tell) {
    this.#tell = tell;
  }

  get isOpen() {
    return this.#stream !== null;
  }

  async open(microphone) {
    this.close();
    const wanted = microphone ? { deviceId: { exact: microphone } } : true;
    // A chosen microphone may be unplugged: then the computer's own choice is looked at.
    const stream = await navigator.mediaDevices
      .getUserMedia({ audio: wanted })
      .catch(() => navigator.mediaDevices.getUserMedia({ audio: true }));
    this.close();
    this.#stream = stream;
    this.#context = new AudioContext();
    await this.#context.resume().catch(() => {});
    const analyser = this.#context?.createAnalyser();
    if (!analyser) return;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#tell(Math.min(1, 4 * Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length)));
    }, METER_EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#context?.close();
    [this.#stream, this.#context, this.#timer] = [null, null, null];
  }
}

/** Plays beeps through the loudspeaker that was chosen, until it is stopped. */
export class Tone {
  #context = null;
  #audio = null;

  async start(speaker) {
    this.stop();
    const context = new AudioContext();
    this.#context = context;
    const gain = context.createGain();
    const out = context.createMediaStreamDestination();
    gain.gain.value = 0;
    for (let beat = 0; beat < 60; beat += 1) {
      gain.gain.setValueAtTime(TONE_GAIN, beat * TONE_EVERY_S);
      gain.gain.setValueAtTime(0, beat * TONE_EVERY_S + TONE_ON_S);
    }
    const tone = context.createOscillator();
    tone.frequency.value = TONE_HZ;
    tone.connect(gain).connect(out);
    tone.start();
    const audio = new Audio();
    this.#audio = audio;
    audio.srcObject = out.stream;
    if (speaker && audio.setSinkId) await audio.setSinkId(speaker).catch(() => {});
    await context.resume().catch(() => {});
    await audio.play().catch(() => {});
  }

  stop() {
    this.#context?.close();
    if (this.#audio) this.#audio.srcObject = null;
    [this.#context, this.#audio] = [null, null];
  }
}
