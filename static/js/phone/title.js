// The ring in the page's title. Whoever walks to another page gets another title: the ring stays on it.

export class RingingTitle {
  #document;
  #observer;
  #words = "";
  #title = "";

  constructor({ document = globalThis.document, MutationObserver = globalThis.MutationObserver } = {}) {
    this.#document = document;
    this.#observer = new MutationObserver(() => this.#keep());
  }

  start(words) {
    this.stop();
    this.#words = `● ${words}`;
    this.#keep();
    this.#observer.observe(this.#document.head, { childList: true, characterData: true, subtree: true });
  }

  /** Leave the page with its own title: the one that it has by now. */
  stop() {
    if (this.#words === "") return;
    this.#keep();
    this.#observer.disconnect();
    this.#words = "";
    this.#document.title = this.#title;
  }

  #keep() {
    if (this.#document.title === this.#words) return;
    this.#title = this.#document.title;
    this.#document.title = this.#words;
  }
}
