// What the person does at the phone: presses, types, pastes; by mouse and by keys. Each becomes an event of machine.js.

import { mayDial } from "./dialling.js";
import { WISHES, keyOf } from "./keys.js";
import { TargetsView } from "./views/targets_view.js";

/** Nobody need press Save: what was typed is kept a moment after the last key. */
const SAVE_AFTER_MS = 1_000;
const SEARCH_AFTER_MS = 150;
/** Who is free changes while one looks; pushes tell of it to supervisors only. */
const TARGETS_EVERY_MS = 3_000;
const KEYS = /[0-9*#wW]/g;

export class Hands {
  #root;
  #view;
  #tell;
  #state;
  #saving = null;
  #searching = null;

  constructor(root, view, { tell, state, showTargets }) {
    this.#root = root;
    this.#view = view;
    this.#tell = tell;
    this.#state = state;
    this.#showTargets = showTargets;
  }

  #showTargets;

  connect() {
    this.#root.addEventListener("click", ({ target }) => this.#onClick(target));
    this.#find("#intent").addEventListener("change", ({ target }) => {
      this.#tell({ type: "intent.chosen", intent: target.value });
    });
    document.addEventListener("keydown", (event) => this.#onKey(event));
    document.addEventListener("click", (event) => this.#onLink(event));
    this.#find("#keypad").addEventListener("paste", (event) => {
      event.preventDefault();
      this.#press(event.clipboardData.getData("text").match(KEYS)?.join("") ?? "");
    });
    this.#find("[data-dial-form]").addEventListener("submit", (event) => {
      event.preventDefault();
      const { to, from } = this.#view.dial.wish;
      this.#dial(to, from);
    });
    for (const select of this.#root.querySelectorAll("[data-device]"))
      select.addEventListener("change", () =>
        this.#tell({ type: "gate.device", kind: select.dataset.device, id: select.value }),
      );
    this.#connectWrapUp();
    this.#view.targets.input.addEventListener("input", () => {
      clearTimeout(this.#searching);
      this.#searching = setTimeout(() => this.#showTargets(), SEARCH_AFTER_MS);
    });
    setInterval(() => this.#state().panel === "transfer" && this.#showTargets(), TARGETS_EVERY_MS);
  }

  #onClick(target) {
    const button = target.closest("button");
    if (!button || button.getAttribute("aria-busy") === "true") return;
    const { phone, panel, wish, give, digit, dialKey, redialNumber, wrapUpDo } = button.dataset;
    if (phone) this.press(phone);
    else if (panel) this.#toggle(panel);
    else if (wish) this.#tell({ type: "talk.wish", wish });
    else if (give) this.#tell({ type: "talk.wish", wish: give, to: TargetsView.targetOf(button) });
    else if (digit) this.#press(digit);
    else if (dialKey) this.#view.dial.press(dialKey);
    else if (redialNumber) this.#dial(redialNumber);
    else if (wrapUpDo === "end") this.#tell({ type: "wrap-up.end", ...this.#view.desk.said });
  }

  press(name) {
    if (name === "keys") this.#find("#keys").showModal();
    else this.#tell({ type: name, atMs: Date.now() });
  }

  #toggle(panel) {
    this.#tell({ type: "panel", panel });
    if (this.#state().panel !== panel) return;
    if (panel === "keypad") this.#find("#keypad").focus();
    else {
      this.#view.targets.open();
      this.#showTargets();
    }
  }

  #press(digits) {
    if (digits === "" || this.#state().call?.phase !== "talking") return;
    this.#view.addDigit(digits);
    this.#tell({ type: "digits", digits });
  }

  #dial(to, from = "") {
    if (!mayDial(this.#state())) return;
    this.#view.dial.write(to, from);
    this.#tell({ type: "dial", to, from: from || this.#view.dial.wish.from, sdkId: crypto.randomUUID() });
  }

  // A number on the page: the phone calls it, if it can; else the number waits in the dial pad. Who is called back may
  // see the number that he called (`data-dial-from`), whatever this agent shows otherwise.
  #onLink(event) {
    const link = event.target.closest("[data-dial-number]");
    if (!link) return;
    event.preventDefault();
    const { dialNumber: number, dialFrom: from } = link.dataset;
    if (this.#state().panel === "transfer") return this.#search(number);
    if (mayDial(this.#state())) {
      this.#dial(number, from);
      link.dispatchEvent(new CustomEvent("curbe:dialled", { bubbles: true }));
      return undefined;
    }
    this.#view.dial.write(number, from);
    this.#tell({ type: "dial.not-now", error: this.#root.dataset.notNow });
    return undefined;
  }

  #search(number) {
    this.#view.targets.input.value = number;
    this.#view.targets.input.dispatchEvent(new Event("input"));
    this.#view.targets.input.focus();
  }

  #connectWrapUp() {
    const { form } = this.#view.desk;
    const save = () => {
      clearTimeout(this.#saving);
      this.#tell({ type: "wrap-up.save", ...this.#view.desk.said });
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save();
    });
    form.addEventListener("input", () => {
      clearTimeout(this.#saving);
      this.#saving = setTimeout(() => this.#view.desk.isDirty && save(), SAVE_AFTER_MS);
    });
  }

  #onKey(event) {
    // The list of keys closes itself by Escape, and nothing else is pressed behind it.
    if (this.#find("#keys").open) return undefined;
    const name = keyOf(event, this.#state(), { isTyping: isTyping(event.target) });
    if (name) {
      event.preventDefault();
      return this.#obey(name);
    }
    const isKey = /^[0-9*#]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!isKey || !document.activeElement?.closest("#keypad")) return undefined;
    event.preventDefault();
    return this.#press(event.key);
  }

  #obey(name) {
    if (name === "keypad" || name === "transfer") return this.#toggle(name);
    if (name === "close") return this.#close();
    if (name === "wrap-up.end") return this.#tell({ type: name, ...this.#view.desk.said });
    if (WISHES.has(name)) return this.#tell({ type: "talk.wish", wish: name });
    return this.press(name);
  }

  // Escape closes what stands open, and gives the focus back to what opened it.
  #close() {
    const { panel, dial, gate } = this.#state();
    const opener = panel
      ? `[data-panel="${panel}"]`
      : dial.isOpen
        ? '[data-phone="dial.toggled"]'
        : gate.isOpen
          ? '.phone__more [data-phone="gate.toggled"]'
          : "";
    if (!opener) return;
    if (panel) this.#tell({ type: "panel", panel });
    else this.press(dial.isOpen ? "dial.toggled" : "gate.toggled");
    this.#find(opener)?.focus();
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}

function isTyping(element) {
  return element.matches("input, textarea, select, [contenteditable]");
}
