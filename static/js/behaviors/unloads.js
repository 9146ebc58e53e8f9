// What loads a whole page (log out, another company, another language) waits until the call is over.

export function connect() {
  document.addEventListener("submit", (event) => {
    const isGuarded = event.target.closest("[data-unloads]");
    if (isGuarded && document.documentElement.hasAttribute("data-in-call")) event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => {
    // The call outlives a reload, but not a closed tab: the browser asks before either.
    if (document.documentElement.hasAttribute("data-in-call")) event.preventDefault();
  });
}
