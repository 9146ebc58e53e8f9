// The road from the audio element to the loudspeaker: two channels, each with its own loudness and place.

const RAMP_S = 0.02;

export class Sound {
  #audio;
  #context = null;
  #channels = [];
  #mix = [];

  constructor(audio) {
    this.#audio = audio;
  }

  /** Open the road; only after something that the person did, or the browser keeps it shut. */
  async open() {
    if (!this.#context) this.#build();
    // Suspended by the browser, or interrupted by a telephone's own call (Safari).
    if (this.#context.state !== "running") await this.#context.resume();
  }

  /** `mix`: {gain, pan} of each channel. */
  set(mix) {
    this.#mix = mix;
    for (const [index, { gain, pan }] of this.#channels.entries()) {
      const at = this.#context.currentTime;
      gain.gain.setTargetAtTime(mix[index]?.gain ?? 1, at, RAMP_S);
      pan.pan.setTargetAtTime(mix[index]?.pan ?? 0, at, RAMP_S);
    }
  }

  #build() {
    this.#context = new AudioContext();
    const splitter = this.#context.createChannelSplitter(2);
    this.#context.createMediaElementSource(this.#audio).connect(splitter);
    this.#channels = [0, 1].map((index) => {
      const gain = this.#context.createGain();
      const pan = this.#context.createStereoPanner();
      gain.gain.value = this.#mix[index]?.gain ?? 1;
      pan.pan.value = this.#mix[index]?.pan ?? 0;
      splitter.connect(gain, index);
      gain.connect(pan).connect(this.#context.destination);
      return { gain, pan };
    });
  }
}
