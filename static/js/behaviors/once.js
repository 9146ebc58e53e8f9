// A form that is sent once: a second press of its button, while the first is under way, is no second wish.

const UNDER_WAY = new WeakSet();

export function connect() {
  // In the capturing phase: before htmx, which listens at the form itself.
  document.addEventListener("submit", holdBack, true);
  document.addEventListener("htmx:afterRequest", ({ target }) => UNDER_WAY.delete(target));
  // A page that comes back from the browser's store is to be used again.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) for (const form of document.querySelectorAll("[data-once]")) UNDER_WAY.delete(form);
  });
}

function holdBack(event) {
  const form = event.target.closest("[data-once]");
  if (!form) return;
  if (UNDER_WAY.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  UNDER_WAY.add(form);
}
