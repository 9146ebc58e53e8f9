// "Copy as JSON": what an address answers, written so that people can read it, goes to the clipboard.

import { get } from "../lib/api.js";

const SAID_FOR_MS = 2_500;

export function connect() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-copy-json]");
    if (button) copy(button);
  });
}

async function copy(button) {
  const isDone = await toClipboard(button.dataset.copyJson);
  const words = button.querySelector("[aria-live]");
  // A second click while the first is still answered must not take the answer for the label.
  button.dataset.label ??= words.textContent;
  words.textContent = isDone ? button.dataset.done : button.dataset.failed;
  setTimeout(() => (words.textContent = button.dataset.label), SAID_FOR_MS);
}

async function toClipboard(address) {
  const { status, body } = await get(address);
  if (status !== 200) return false;
  try {
    await navigator.clipboard.writeText(JSON.stringify(body, null, 2));
    return true;
  } catch {
    return false;
  }
}
