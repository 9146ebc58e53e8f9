// To whom a call can be given: people as they stand now, queues with who waits, or the number that was typed.

import { mayWish } from "../talk.js";
import { fill, showOnly } from "./parts.js";

/** Three digits or more, in the ways in which people write numbers. */
const NUMBER = /^\+?[\d][\d\s().-]{2,}$/;

export class TargetsView {
  #section;
  #rows = [];
  #state = null;

  constructor(root) {
    this.#section = root.querySelector("#transfer");
    this.input.addEventListener("input", () => this.#draw());
  }

  get input() {
    return this.#section.querySelector("#transfer-to");
  }

  get words() {
    const words = this.input.value.trim();
    return NUMBER.test(words) ? "" : words;
  }

  draw(state) {
    this.#state = state;
    this.#draw();
  }

  open() {
    this.input.value = "";
    this.#rows = [];
    this.say("");
    this.#draw();
    this.input.focus();
  }

  /** `rows` of GET /api/transfer-targets. */
  show(rows) {
    this.#rows = rows;
    this.say(rows.length === 0 && !NUMBER.test(this.input.value.trim()) ? "none" : "");
    this.#draw();
  }

  say(word) {
    showOnly(this.#section, "[data-targets-say]", (one) => one.dataset.targetsSay === word);
  }

  /** The `to` of the API for the row that holds this element. */
  static targetOf(element) {
    const { kind, id } = element.closest("[data-target]").dataset;
    return { [kind]: kind === "number" ? id : Number(id) };
  }

  #draw() {
    const words = this.input.value.trim();
    const isNumber = NUMBER.test(words);
    const found = isNumber ? [{ kind: "number", id: words, name: words }] : this.#rows;
    const list = this.#section.querySelector("[data-targets]");
    // Rows are kept, so that a person in the list keeps the focus while they change.
    const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
    const rows = found.map((one) => {
      const key = `${one.kind}:${one.id}`;
      const row = known.get(key) ?? this.#made(one, key);
      this.#fill(row, one);
      return row;
    });
    for (const row of list.children) if (!rows.includes(row)) row.remove();
    rows.forEach((row, place) => list.children[place] !== row && list.insertBefore(row, list.children[place] ?? null));
  }

  #made({ kind, id }, key) {
    const made = this.#section.querySelector("#target-row").content.firstElementChild.cloneNode(true);
    Object.assign(made.dataset, { key, kind, id });
    showOnly(made, "[data-of]", (one) => one.dataset.of === kind);
    made.querySelector('[data-give="consult"]').hidden = kind === "queue";
    return made;
  }

  #fill(row, { kind, name, presence, may, waiting, free }) {
    fill(row.querySelector("[data-name]"), name);
    row.dataset.is = kind === "agent" ? presence : "";
    showOnly(row, "[data-word]", (one) => one.dataset.word === presence);
    if (kind === "queue") {
      fill(row.querySelector("[data-waiting]"), String(waiting));
      fill(row.querySelector("[data-free]"), String(free));
    }
    for (const button of row.querySelectorAll("[data-give]")) {
      const { give } = button.dataset;
      const isFree = kind !== "agent" || may;
      button.disabled = !isFree || this.#state === null || !mayWish(this.#state, give);
      button.setAttribute("aria-busy", String(this.#state?.wish === give && document.activeElement === button));
      button.setAttribute("aria-label", `${button.textContent.trim()} · ${name}`);
    }
  }
}
