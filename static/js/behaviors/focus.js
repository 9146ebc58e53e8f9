// Who walks by keyboard stays where he was when the row under him is fetched anew: what had the focus is found again.

import { selectorOf } from "../lib/same.js";

let left = null;

export function connect() {
  const { body } = document;
  body.addEventListener("htmx:beforeSwap", ({ detail }) => remember(detail.target));
  body.addEventListener("htmx:afterSwap", giveBack);
}

function remember(target) {
  const { activeElement } = document;
  // A page that was walked to begins at its own head.
  const isInside = target?.id && target.id !== "main" && target !== activeElement && target.contains(activeElement);
  left = isInside ? { id: target.id, selector: selectorOf(activeElement) } : null;
}

function giveBack() {
  // htmx gives it back itself to what has an id.
  if (!left?.selector || document.activeElement !== document.body) return;
  document.getElementById(left.id)?.querySelector(left.selector)?.focus({ preventScroll: true });
  left = null;
}
