// What loads a whole page (log out, another company, another language) waits until the call is over, and says why.

const WHY = "unloads-why";

export function connect() {
  document.addEventListener("curbe:call", shutOrOpen);
  document.addEventListener("submit", (event) => {
    const isGuarded = event.target.closest("[data-unloads]");
    if (isGuarded && isInCall()) event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => {
    // The call outlives a reload, but not a closed tab: the browser asks before either.
    if (isInCall()) event.preventDefault();
  });
}

function shutOrOpen() {
  const isShut = isInCall();
  const why = document.querySelector(`#${WHY}`)?.textContent ?? "";
  for (const form of document.querySelectorAll("[data-unloads] form")) {
    form.title = isShut ? why : "";
    for (const button of form.querySelectorAll("button")) {
      button.disabled = isShut;
      if (isShut) button.setAttribute("aria-describedby", WHY);
      else button.removeAttribute("aria-describedby");
    }
  }
}

function isInCall() {
  return document.documentElement.hasAttribute("data-in-call");
}
