// Rows with a checkbox each: one ticks them all, and what is chosen is counted and added up.

import { sums } from "../lib/basket.js";

export function connect() {
  document.addEventListener("change", ({ target }) => {
    const box = target.closest("[data-tick-box]");
    if (!box) return;
    if (target.matches("[data-tick-all]")) {
      for (const tick of box.querySelectorAll("[data-tick]")) tick.checked = target.checked;
    }
    show(box);
  });
  document.addEventListener("htmx:load", ({ target }) => target.querySelectorAll?.("[data-tick-box]").forEach(show));
  document.querySelectorAll("[data-tick-box]").forEach(show);
}

function show(box) {
  const ticks = [...box.querySelectorAll("[data-tick]")];
  const chosen = ticks.filter((tick) => tick.checked);
  const all = box.querySelector("[data-tick-all]");
  if (all) {
    all.checked = ticks.length > 0 && chosen.length === ticks.length;
    all.indeterminate = chosen.length > 0 && chosen.length < ticks.length;
  }
  const sum = box.querySelector("[data-basket-sum]");
  if (!sum) return;
  sum.hidden = chosen.length === 0;
  const { upfront, monthly } = sums(
    chosen.map((tick) => tick.dataset),
    document.documentElement.lang,
  );
  for (const [name, text] of Object.entries({ count: chosen.length, upfront, monthly })) {
    const place = sum.querySelector(`[data-basket-${name}]`);
    if (place) place.textContent = text;
  }
}
