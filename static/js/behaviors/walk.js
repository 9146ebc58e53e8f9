// Boosted links swap <main> only: the page around it is kept in step, and what cannot be boosted is loaded as a page.

export function connect() {
  document.body.addEventListener("htmx:beforeSwap", onBeforeSwap);
  document.body.addEventListener("htmx:afterSettle", onSettled);
  document.body.addEventListener("htmx:historyRestore", markWhereWeAre);
  document.body.addEventListener("htmx:beforeRequest", ({ detail }) => busy(detail, true));
  document.body.addEventListener("htmx:afterRequest", ({ detail }) => busy(detail, false));
}

function onBeforeSwap({ detail }) {
  // A page of an error is shown where the page would be; a row whose fetch failed is left as it is.
  if (detail.xhr.status >= 400) detail.shouldSwap = Boolean(detail.boosted);
}

function onSettled({ detail }) {
  if (detail.target?.id !== "main" && detail.elt?.id !== "main") return;
  markWhereWeAre();
  document.querySelector("#main").focus({ preventScroll: true });
}

function markWhereWeAre() {
  for (const link of document.querySelectorAll("[data-nav] a")) {
    const isHere = new URL(link.href).pathname === location.pathname;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const field of document.querySelectorAll("[data-here]")) field.value = location.pathname + location.search;
}

function busy(detail, isBusy) {
  if (detail.boosted || detail.target?.id === "main") document.documentElement.toggleAttribute("data-busy", isBusy);
}
