// Which line stands at the head of the page when several want to. Pure; page.js shows it.

/** What the person has just tried comes before what goes on by itself. */
const ORDER = ["pageAway", "refused", "serverAway", "liveDown"];

export class Notices {
  #wanted = new Map();

  /** `again` is what "Try again" does; without it there is no such button. */
  set(name, isWanted, again = null) {
    if (!ORDER.includes(name)) throw new Error(`there is no notice ${name}`);
    if (isWanted) this.#wanted.set(name, again);
    else this.#wanted.delete(name);
  }

  /** Return {name, again} of the one to show; the name is "" while nothing is to be said. */
  get first() {
    const name = ORDER.find((one) => this.#wanted.has(one)) ?? "";
    return { name, again: this.#wanted.get(name) ?? null };
  }
}
