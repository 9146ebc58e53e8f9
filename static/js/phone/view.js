// Draws what screen.js describes. It shows and hides what the server rendered; no HTML is made here.

import { END_AFTER_ANSWER_MS } from "./machine.js";
import { describe } from "./screen.js";

/** A list that stands open is not changed under the person's hand. */
function isBeingChosen(select) {
  return CSS.supports("selector(:open)") ? select.matches(":open") : document.activeElement === select;
}

export class View {
  #root;
  #timer = null;
  #endSoon = null;
  #answeredAtMs = null;
  #digits = "";

  constructor(root) {
    this.#root = root;
  }

  draw(state) {
    const { stage, say, tone, offers, presence, inCall } = describe(state);
    const stageChanged = this.#root.dataset.stage !== stage;
    const focused = document.activeElement;
    Object.assign(this.#root.dataset, { stage, tone, say });
    document.documentElement.toggleAttribute("data-in-call", inCall);
    this.#showOnly("[data-stage-of]", (element) => element.dataset.stageOf.split(" ").includes(stage));
    this.#showOnly("[data-say]", (element) => element.dataset.say === say);
    this.#showOnly("[data-offers]", (element) => element.dataset.offers === offers);
    this.#showOnly("[data-presence]", (element) => element.dataset.presence === presence);
    this.#drawIntent(state.intent);
    this.#drawCall(state.call, stage);
    if (stageChanged) this.#onStage(stage);
    if (stageChanged && this.#root.contains(focused)) this.#keepFocus(focused, stage);
  }

  showKeypad(shown) {
    this.#find("#keypad").hidden = !shown;
    this.#find("[data-phone=keypad]").setAttribute("aria-expanded", String(shown));
  }

  toggleKeypad() {
    this.showKeypad(this.#find("#keypad").hidden);
  }

  addDigit(digit) {
    this.#digits += digit;
    this.#find("[data-digits]").textContent = this.#digits;
  }

  /** What the network says of the caller, until (or in case) the server's card comes. */
  nameCaller(text) {
    this.#find("#caller").textContent = text;
  }

  wordsOf(say) {
    return this.#find(`[data-say="${say}"]`).textContent;
  }

  #drawIntent(intent) {
    const select = this.#find("#intent");
    if (select.value !== intent && !isBeingChosen(select)) select.value = intent;
  }

  #drawCall(call, stage) {
    this.#drawEnd(call?.pressedAtMs ?? null);
    for (const name of ["mute", "keypad"]) this.#find(`[data-phone=${name}]`).disabled = stage !== "talking";
    this.#find("[data-phone=mute]").setAttribute("aria-pressed", String(Boolean(call?.muted)));
    this.#answeredAtMs = call?.answeredAtMs ?? null;
    this.#drawTimer();
    if (stage === "talking" && this.#timer === null) this.#timer = setInterval(() => this.#drawTimer(), 1000);
    if (stage !== "talking" && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  // For a moment after Answer there is nothing to press where it stood.
  #drawEnd(pressedAtMs) {
    const tooSoonMs = pressedAtMs === null ? 0 : pressedAtMs + END_AFTER_ANSWER_MS - Date.now();
    this.#find("[data-phone=end]").disabled = this.#root.dataset.stage === "ending" || tooSoonMs > 0;
    clearTimeout(this.#endSoon);
    if (tooSoonMs > 0) this.#endSoon = setTimeout(() => this.#drawEnd(pressedAtMs), tooSoonMs);
  }

  #drawTimer() {
    if (this.#answeredAtMs === null) return;
    const seconds = Math.max(0, Math.floor((Date.now() - this.#answeredAtMs) / 1000));
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    this.#find("[data-timer]").textContent = clock;
  }

  #onStage(stage) {
    if (stage === "talking") return;
    this.showKeypad(false);
    this.#digits = "";
    this.#find("[data-digits]").textContent = "";
    if (stage === "idle") this.#find("#caller").replaceChildren();
    this.#find("[data-timer]").textContent = stage === "incoming" ? "0:00" : this.#find("[data-timer]").textContent;
  }

  // Who answers by the keyboard stays at the phone when the button goes away under him; never on End by itself.
  #keepFocus(focused, stage) {
    const isLost = focused === this.#root || focused.disabled || !focused.checkVisibility();
    if (isLost) (stage === "talking" ? this.#find("[data-phone=mute]") : this.#root).focus({ preventScroll: true });
  }

  #showOnly(selector, isShown) {
    for (const element of this.#root.querySelectorAll(selector)) element.hidden = !isShown(element);
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}
