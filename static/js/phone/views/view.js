// Draws what screen.js describes. It shows and hides what the server rendered; no HTML is made here.

import { clock } from "../clock.js";
import { describe } from "../screen.js";
import { END_AFTER_ANSWER_MS } from "../state.js";
import { DeskView } from "./desk_view.js";
import { DialView } from "./dial_view.js";
import { GateView } from "./gate_view.js";
import { fill } from "./parts.js";
import { TalkView } from "./talk_view.js";
import { TargetsView } from "./targets_view.js";

export class View {
  #root;
  #timer = null;
  #endSoon = null;
  #answeredAtMs = null;
  #digits = "";

  constructor(root) {
    this.#root = root;
    this.desk = new DeskView(root);
    this.dial = new DialView(root);
    this.gate = new GateView(root);
    this.talk = new TalkView(root);
    this.targets = new TargetsView(root);
  }

  draw(state) {
    const { stage, say, tone, offers, presence, inCall, trouble } = describe(state);
    const stageChanged = this.#root.dataset.stage !== stage;
    const focused = document.activeElement;
    Object.assign(this.#root.dataset, { stage, tone, say });
    document.documentElement.toggleAttribute("data-in-call", inCall);
    this.#showOnly("[data-stage-of]", (element) => element.dataset.stageOf.split(" ").includes(stage));
    this.#showOnly("[data-say]", (element) => element.dataset.say === say);
    this.#showOnly("[data-offers]", (element) => element.dataset.offers === offers);
    this.#showOnly("[data-presence]", (element) => element.dataset.presence === presence);
    this.#showOnly("[data-trouble]", (element) => element.dataset.trouble === trouble);
    this.#drawCall(state.call, stage);
    for (const part of [this.desk, this.dial, this.gate, this.talk, this.targets]) part.draw(state, stage);
    if (stageChanged) this.#onStage(stage);
    if (focused !== this.#root && this.#root.contains(focused)) this.#keepFocus(focused, stage);
    else if (stageChanged && focused === this.#root) this.#keepFocus(focused, stage);
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

  #drawCall(call, stage) {
    this.#drawEnd(call?.pressedAtMs ?? null);
    this.#find("[data-phone=mute]").disabled = stage !== "talking";
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
    fill(this.#find("[data-timer]"), clock(Date.now() - this.#answeredAtMs));
  }

  #onStage(stage) {
    if (stage === "talking") return;
    this.#digits = "";
    this.#find("[data-digits]").textContent = "";
    if (stage === "idle") this.#find("#caller").replaceChildren();
    this.#find("[data-timer]").textContent =
      stage === "incoming" || stage === "dialling" ? "0:00" : this.#find("[data-timer]").textContent;
  }

  // Who answers by the keyboard stays at the phone when the button goes away under him; never on End by itself.
  #keepFocus(focused, stage) {
    const isLost = focused === this.#root || focused.disabled || !focused.checkVisibility();
    // What has just opened may have taken the focus itself.
    if (!isLost || (this.#root.contains(document.activeElement) && document.activeElement !== focused)) return;
    (stage === "talking" ? this.#find("[data-phone=mute]") : this.#root).focus({ preventScroll: true });
  }

  #showOnly(selector, isShown) {
    for (const element of this.#root.querySelectorAll(selector)) element.hidden = !isShown(element);
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}
