// The dial pad: a field, the number that the other side sees, and the last numbers again.

import { mayDial } from "../dialling.js";
import { fill, fillSelect } from "./parts.js";

const MOST_RECENT = 5;

export class DialView {
  #root;
  #section;
  #agent;
  #wasOpen = false;
  #drawn = null;
  /** What this agent shows, unless a call wants another one. */
  #usual = "";
  /** The number shown is another call's wish, and not this one's that is typed. */
  #isLent = false;

  constructor(root) {
    this.#root = root;
    this.#agent = root.dataset.agent;
    this.#section = root.querySelector("#dial");
    this.#drawRecent();
    this.#from.addEventListener("change", () => {
      this.#usual = this.#from.value;
      this.#isLent = false;
      localStorage.setItem(this.#key("from"), this.#usual);
    });
    this.#to.addEventListener("input", () => {
      if (this.#isLent) this.#from.value = this.#usual;
      this.#isLent = false;
    });
  }

  /** What is to be called, and what the other side sees. */
  get wish() {
    return { to: this.#to.value.trim(), from: this.#from.value };
  }

  draw(state, stage) {
    const isOpen = state.dial.isOpen && (stage === "idle" || stage === "ended");
    this.#section.hidden = !isOpen;
    this.#root.querySelector('[data-phone="dial.toggled"]').setAttribute("aria-expanded", String(isOpen));
    const isNumbers = state.dial.field !== "from";
    fill(this.#find("[data-dial-error]"), isNumbers ? state.dial.error : "");
    fill(this.#find("[data-dial-from-error]"), isNumbers ? "" : state.dial.error);
    this.#to.toggleAttribute("aria-invalid", state.dial.error !== "" && isNumbers);
    this.#find("[data-dial-call]").disabled = !mayDial(state);
    if (isOpen && (!this.#wasOpen || (state.dial.error && state.dial !== this.#drawn))) this.#to.focus();
    [this.#wasOpen, this.#drawn] = [isOpen, state.dial];
  }

  /** `rows` of GET /api/webrtc/caller-ids; the agent's last choice is kept in this browser. */
  showCallerIds(rows) {
    const words = ({ e164, label }) => (label ? `${e164} · ${label}` : e164);
    fillSelect(
      this.#from,
      rows.map((row) => [row.e164, words(row)]),
    );
    const kept = localStorage.getItem(this.#key("from"));
    const known = rows.find((row) => row.e164 === kept) ?? rows.find((row) => row.default) ?? rows[0];
    this.#usual = known?.e164 ?? "";
    this.#from.value = this.#usual;
    this.#section.querySelector(".dial__from").hidden = rows.length < 2;
  }

  press(key) {
    this.#to.setRangeText(key, this.#to.selectionStart, this.#to.selectionEnd, "end");
  }

  /** Write a number into the field, and for this one call what it is to see: the usual number where `from` is none of ours. */
  write(number, from = "") {
    this.#to.value = number;
    const isOurs = [...this.#from.options].some(({ value }) => value === from);
    this.#from.value = isOurs ? from : this.#usual;
    this.#isLent = isOurs;
  }

  remember(number) {
    const known = this.#recent.filter((one) => one !== number);
    localStorage.setItem(this.#key("dialled"), JSON.stringify([number, ...known].slice(0, MOST_RECENT)));
    this.write("");
    this.#drawRecent();
  }

  get #recent() {
    try {
      return JSON.parse(localStorage.getItem(this.#key("dialled")) ?? "[]");
    } catch {
      return [];
    }
  }

  #drawRecent() {
    const list = this.#find("[data-redial-list]");
    const row = this.#find("#redial-row");
    list.replaceChildren(
      ...this.#recent.map((number) => {
        const made = row.content.cloneNode(true);
        made.querySelector("[data-redial-number]").dataset.redialNumber = number;
        made.querySelector("[data-fill]").textContent = number;
        return made;
      }),
    );
    this.#find("[data-redial]").hidden = list.children.length === 0;
  }

  #key(what) {
    return `curbe.${what}.${this.#agent}`;
  }

  get #to() {
    return this.#find("#dial-to");
  }

  get #from() {
    return this.#find("#dial-from");
  }

  #find(selector) {
    return this.#section.querySelector(selector);
  }
}
