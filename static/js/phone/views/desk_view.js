// The person's own state: the status menu with its breaks, what is pending, the break's clock, the work after a call.

import { clock } from "../clock.js";
import { kindOf } from "../desk.js";
import { fill, fillSelect, isBeingChosen, showOnly } from "./parts.js";

export class DeskView {
  #root;
  #state = null;
  #shownCall = "";
  /** What was typed and not saved yet: it is not written over by what the server knows. */
  #isDirty = false;
  #wasSaving = "";

  constructor(root) {
    this.#root = root;
    setInterval(() => this.#state && this.#drawClocks(), 1000);
    this.form.addEventListener("input", () => {
      this.#isDirty = true;
      this.#find("[data-wrap-up-saved]").hidden = true;
    });
  }

  get form() {
    return this.#find("[data-wrap-up]");
  }

  get said() {
    return { disposition: this.#disposition.value, note: this.#note.value };
  }

  get isDirty() {
    return this.#isDirty && !this.form.hidden;
  }

  draw(state, stage) {
    this.#state = state;
    this.#drawIntent(state);
    const { pending } = state.desk;
    this.#find("[data-pending]").hidden = !pending || pending === "AVAILABLE";
    showOnly(this.#root, "[data-pending-of]", (one) => one.dataset.pendingOf === pending);
    this.#drawWrapUp(state, stage);
    this.#drawClocks();
  }

  #drawIntent({ intent, desk }) {
    const select = this.#find("#intent");
    const reasons = desk.breaks.map(({ code, name }) => [`BREAK:${code}`, name]);
    const place = [...select.options].findIndex((one) => one.value === "OFFLINE");
    const known = [...select.options].filter((one) => one.value.startsWith("BREAK:"));
    if (
      JSON.stringify(known.map((one) => [one.value, one.text])) !== JSON.stringify(reasons) &&
      !isBeingChosen(select)
    ) {
      known.forEach((one) => one.remove());
      const offline = select.options[place - known.length];
      for (const [value, text] of reasons) select.add(new Option(text, value), offline);
    }
    if (select.value === intent || isBeingChosen(select)) return;
    select.value = intent;
    if (select.selectedIndex < 0) select.value = kindOf(intent);
  }

  #drawWrapUp(state, stage) {
    const { wrapUp, saving, error, field } = state.desk;
    const isShown = wrapUp !== null && (stage === "idle" || stage === "ended");
    this.form.hidden = !isShown;
    if (!isShown) return;
    if (this.#shownCall !== `${wrapUp.callId}`) {
      this.#shownCall = `${wrapUp.callId}`;
      this.#isDirty = false;
      this.#find("[data-wrap-up-saved]").hidden = true;
    }
    if (this.#wasSaving && !saving && !error) {
      this.#isDirty = false;
      this.#find("[data-wrap-up-saved]").hidden = false;
    }
    this.#wasSaving = saving;
    fillSelect(
      this.#disposition,
      wrapUp.dispositions.map(({ code, name }) => [code, name]),
      { kept: 1 },
    );
    if (!this.#isDirty) {
      if (!isBeingChosen(this.#disposition)) this.#disposition.value = wrapUp.disposition;
      if (this.#note.value !== wrapUp.note) this.#note.value = wrapUp.note;
    }
    this.#find("[data-wrap-up-choice]").hidden = wrapUp.dispositions.length === 0;
    this.#disposition.required = wrapUp.dispositionRequired;
    const why = wrapUp.dispositionRequired ? "required" : wrapUp.mayEnd ? "free" : "locked";
    showOnly(this.form, "[data-wrap-up-why]", (one) => one.dataset.wrapUpWhy === why);
    const line = this.#find("[data-wrap-up-error]");
    // The API speaks to programs; of the one field the template has the words in the person's language.
    fill(line, error && field === "disposition" ? line.dataset.missing : error);
    this.#disposition.toggleAttribute("aria-invalid", error !== "" && field === "disposition");
    const done = this.#find('[data-wrap-up-do="end"]');
    done.hidden = !wrapUp.mayEnd;
    for (const [button, how] of [
      [done, "end"],
      [this.#find('[data-wrap-up-do="save"]'), "save"],
    ])
      button.setAttribute("aria-busy", String(saving === how));
  }

  #drawClocks() {
    const { desk } = this.#state;
    const now = Date.now();
    if (desk.wrapUp) fill(this.#find("[data-wrap-up-clock]"), clock(desk.wrapUp.untilMs - now));
    const line = this.#find("[data-break]");
    const pause = desk.break;
    line.hidden = pause === null;
    if (pause === null) return;
    const takenMs = now - pause.sinceMs;
    fill(line.querySelector("[data-break-name]"), pause.name);
    fill(line.querySelector("[data-break-clock]"), clock(takenMs));
    const limitS = pause.softLimitS || pause.hardLimitS;
    line.querySelector("[data-break-limit]").hidden = !limitS;
    fill(line.querySelector("[data-break-soft]"), clock(limitS * 1000));
    const isLate = limitS > 0 && takenMs > limitS * 1000;
    line.querySelector("[data-break-late]").hidden = !isLate;
    line.toggleAttribute("data-late", isLate);
  }

  get #disposition() {
    return this.#find("#disposition");
  }

  get #note() {
    return this.#find("#wrap-up-note");
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}
