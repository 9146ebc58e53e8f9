// Messages: playing one hears it, and keys walk through the list. What is changed is fetched by the forms themselves.

export function connect() {
  document.addEventListener("click", ({ target }) => {
    const message = target.closest("[data-message-play]")?.closest(".message--new");
    if (message) hear(message);
  });
  document.addEventListener("keydown", onKey);
}

function hear(message) {
  message.querySelector("[data-message-hear]").form.requestSubmit();
}

// Single letters count only while the focus is in the list: nobody who dictates or types elsewhere sets one off.
function onKey(event) {
  const { target, key } = event;
  const list = target.closest?.("[data-messages]");
  if (!list || event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
  const act = KEYS[key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act([...list.querySelectorAll("[data-message]")], target.closest("[data-message]"));
}

const KEYS = {
  j: (messages, current) => focusOn(messages[messages.indexOf(current) + 1]),
  k: (messages, current) => focusOn(messages[messages.indexOf(current) - 1]),
  h: (messages, current) => current && hear(current),
};

function focusOn(message) {
  const play = message?.querySelector("[data-message-play]") ?? message?.querySelector("button, a");
  play?.focus();
}
