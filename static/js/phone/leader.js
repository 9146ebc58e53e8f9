// One tab of this browser holds the phone (Web Locks); the others are mirrors and hear what it does.

export class Leader {
  #name;
  #tell;
  #channel;
  #letGo = null;

  constructor(agentId, tell) {
    this.#name = `curbe.phone.${agentId}`;
    this.#tell = tell;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#onWord(data);
  }

  /** Take the lock if it is free; otherwise become a mirror, and take over by itself when the other tab closes. */
  async ask() {
    const isFree = await this.#probe();
    if (!isFree) {
      this.#tell({ type: "lock.tab" });
      this.#channel.postMessage({ ask: true });
    }
    this.#hold({});
  }

  steal() {
    this.#hold({ steal: true });
  }

  /** Tell the mirrors whether a call is up: then they do not offer to take the phone. */
  sayBusy(busy) {
    if (this.#letGo) this.#channel.postMessage({ busy });
    this.busy = busy;
  }

  async #probe() {
    const { held } = await navigator.locks.query();
    return !held.some((lock) => lock.name === this.#name);
  }

  async #hold(options) {
    try {
      await navigator.locks.request(this.#name, options, () => {
        this.#tell({ type: "lock.here", takeOver: Boolean(options.steal) });
        return new Promise((letGo) => {
          this.#letGo = letGo;
          // The mirrors still believe the tab that closed, which may have been on a call.
          this.#channel.postMessage({ busy: Boolean(this.busy) });
        });
      });
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      // Another tab took it. This one waits at the end of the line again.
      this.#letGo = null;
      this.#tell({ type: "lock.lost" });
      this.#hold({});
    }
  }

  #onWord({ ask, busy }) {
    if (ask && this.#letGo) this.#channel.postMessage({ busy: Boolean(this.busy) });
    if (busy !== undefined && !this.#letGo) this.#tell({ type: "tab.told", busy });
  }
}
