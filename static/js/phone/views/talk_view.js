// The call as the server tells it: hold, whom the agent asked, and what can be done now.

import { clock } from "../clock.js";
import { maySwitchRecording, recordingIs } from "../recording.js";
import { isConsulting, mayWish } from "../talk.js";
import { fill, showOnly } from "./parts.js";

export class TalkView {
  #root;
  #state = null;

  constructor(root) {
    this.#root = root;
    setInterval(() => this.#state && this.#drawClocks(), 1000);
  }

  draw(state, stage) {
    this.#state = state;
    const { talk } = state;
    const isTalking = stage === "talking";
    this.#drawButtons(state, isTalking);
    this.#drawRecording(state, isTalking);
    this.#drawConsult(isTalking && talk?.mine ? talk.consult : null, state);
    this.#drawAsker(talk);
    this.#drawClocks();
    // Whoever goes now leaves the others talking.
    showOnly(this.#root, "[data-end]", (one) => (one.dataset.end === "leave") === (isTalking && isConsulting(talk)));
    fill(this.#find("[data-news]"), state.refused || talk?.messageText || "");
    this.#find("#keypad").hidden = !(isTalking && state.panel === "keypad");
    this.#find("#transfer").hidden = !(isTalking && state.panel === "transfer");
  }

  #drawButtons(state, isTalking) {
    const { talk } = state;
    for (const button of this.#root.querySelectorAll("[data-panel]")) {
      const isOpen = isTalking && state.panel === button.dataset.panel;
      button.setAttribute("aria-expanded", String(isOpen));
      button.disabled = !isTalking || (button.dataset.panel === "transfer" && !isOpen && !mayWish(state, "transfer"));
    }
    const hold = this.#find("[data-phone=hold]");
    const isHeld = talk?.phase === "HELD";
    showOnly(hold, "[data-hold]", (one) => (one.dataset.hold === "unhold") === isHeld);
    const isMoving = talk?.phase === "PROMOTING";
    const isAsked = ["hold", "unhold"].includes(state.wish);
    this.#enable(hold, isTalking && (isMoving || mayWish(state, isHeld ? "unhold" : "hold")), isAsked || isMoving);
    for (const button of this.#root.querySelectorAll("[data-wish]")) {
      const { wish } = button.dataset;
      this.#enable(button, isTalking && mayWish(state, wish), state.wish === wish);
    }
  }

  #drawRecording(state, isTalking) {
    const button = this.#find('[data-phone="recording.toggled"]');
    const is = recordingIs(state);
    showOnly(button, "[data-recording-to]", (one) => (one.dataset.recordingTo === "pause") === (is === "on"));
    showOnly(this.#root, "[data-recording-is]", (one) => isTalking && one.dataset.recordingIs === is);
    this.#enable(button, isTalking && maySwitchRecording(state), state.switching);
  }

  // Whoever pressed it keeps the focus while it works; what cannot be had is not pressed at all.
  #enable(button, isOn, isBusy) {
    button.disabled = !isOn && !isBusy;
    button.setAttribute("aria-busy", String(isBusy));
  }

  #drawConsult(consult, state) {
    this.#find("[data-consult]").hidden = consult === null || !isConsulting(state.talk);
    if (consult === null) return;
    fill(this.#find("[data-consult-name]"), consult.name);
    showOnly(this.#root, "[data-consult-is]", (one) => one.dataset.consultIs === consult.state);
  }

  // Who is asked for help knows by whom before he answers.
  #drawAsker(talk) {
    const asker = this.#find("[data-asker]");
    const isAsked = isConsulting(talk) && !talk.mine && talk.lead !== "";
    asker.hidden = !isAsked;
    if (isAsked) fill(asker.querySelector("strong"), talk.lead);
  }

  #drawClocks() {
    const { talk, call } = this.#state;
    const isHeld = talk?.phase === "HELD" && call?.phase === "talking";
    const held = this.#find("[data-held-clock]");
    held.hidden = !isHeld;
    if (isHeld) fill(held.querySelector("time"), clock(Date.now() - talk.sinceMs));
    const since = talk?.consult?.sinceMs;
    fill(this.#find("[data-consult-clock]"), since ? clock(Date.now() - since) : "");
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}
