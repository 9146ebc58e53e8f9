// One click with a reason: a button names what it is for, the one dialog of the page asks why, and sends it.

import { post } from "../lib/api.js";

export function connect() {
  document.addEventListener("click", ({ target }) => {
    const opener = target.closest("[data-reason-for]");
    if (opener) open(opener);
    if (target.closest("[data-reason-cancel]")) target.closest("dialog").close();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-reason-form]");
    if (!form) return;
    event.preventDefault();
    send(form);
  });
}

function open(opener) {
  const dialog = document.querySelector("[data-reason-dialog]");
  const form = dialog.querySelector("form");
  form.reset();
  form.dataset.address = opener.dataset.reasonFor;
  // The list behind the dialog may be fetched anew meanwhile: what is asked about stands in the dialog.
  form.querySelector("[data-reason-title]").textContent = opener.dataset.reasonTitle;
  form.querySelector("[data-reason-send]").textContent = opener.textContent.trim();
  say(form, "");
  dialog.showModal();
}

async function send(form) {
  const button = form.querySelector("[data-reason-send]");
  button.disabled = true;
  const { status, body } = await post(form.dataset.address, { reason: form.elements.reason.value.trim() });
  button.disabled = false;
  if (status < 200 || status >= 300) return say(form, body.error || form.dataset.failed);
  form.closest("dialog").close();
  // The push that follows says the same; a page whose socket is down hears it here.
  for (const region of document.querySelectorAll("[data-live-calls]")) window.htmx.trigger(region, "refresh");
}

function say(form, text) {
  const error = form.querySelector("[data-reason-error]");
  error.textContent = text;
  error.hidden = text === "";
}
