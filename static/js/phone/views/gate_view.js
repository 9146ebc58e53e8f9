// The check list of the devices.

import { checks } from "../gate.js";
import { fill, fillSelect, showOnly } from "./parts.js";

export class GateView {
  #root;
  #section;

  constructor(root) {
    this.#root = root;
    this.#section = root.querySelector("#gate");
  }

  draw(state, stage) {
    const isShown =
      state.gate.isOpen && ["idle", "talking"].includes(stage) && state.holder === "here" && !state.signedOut;
    this.#section.hidden = !isShown;
    const opener = this.#root.querySelector('.phone__more [data-phone="gate.toggled"]');
    opener.setAttribute("aria-expanded", String(isShown));
    opener.parentElement.classList.toggle("unshown", !state.gate.isPassed);
    this.#section.querySelector("[data-gate-close]").hidden = !state.gate.isPassed;
    for (const [name, is] of Object.entries(checks(state))) this.#drawCheck(name, is);
    const rtt = this.#section.querySelector("[data-rtt]");
    rtt.hidden = state.rttMs === null;
    fill(rtt.querySelector("[data-rtt-ms]"), String(Math.round(state.rttMs ?? 0)));
  }

  level(value) {
    this.#section.querySelector("[data-level]").value = value;
  }

  /** The devices as enumerateDevices() tells them; nameless ones are told once the microphone is allowed. */
  showDevices(devices, chosen) {
    for (const [name, kind] of [
      ["microphone", "audioinput"],
      ["speaker", "audiooutput"],
    ]) {
      const select = this.#section.querySelector(`[data-device="${name}"]`);
      const known = devices.filter(
        (one) => one.kind === kind && one.deviceId && one.deviceId !== "default" && one.label,
      );
      fillSelect(
        select,
        known.map((one) => [one.deviceId, one.label]),
        { kept: 1 },
      );
      if (known.some((one) => one.deviceId === chosen[name])) select.value = chosen[name];
      select.hidden = known.length === 0;
    }
  }

  #drawCheck(name, is) {
    const one = this.#section.querySelector(`[data-check="${name}"]`);
    one.dataset.is = is;
    showOnly(one, "[data-check-say]", (line) => line.dataset.checkSay === is);
    showOnly(one, "[data-while]", (part) => part.dataset.while === is);
  }
}
