// Opens the one player at the foot of the page: walking to another page does not stop it, an incoming call does.
// `data-play` is the address of the audio, `data-at` the second in it. `?t=83` on a call's page opens it there.

import { selectorOf } from "../lib/same.js";
import { momentIn } from "../lib/timeline.js";
import { Player } from "../player/player.js";

export function connect() {
  const root = document.querySelector("#player");
  if (!root) return;
  const player = new Player(root);
  let opener = null;
  let shared = "";

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-play]");
    if (!button) return;
    opener = button;
    player.open(button.dataset.play, { what: button.dataset.what, atS: Number(button.dataset.at ?? 0) });
  });
  player.addEventListener("closed", () => focusOnOpener(opener));
  // Only a call that is there: what the phone says of one that is over must not silence its recording.
  document.addEventListener("curbe:call", () => isInCall() && player.pause());
  document.addEventListener("htmx:afterSettle", openShared);
  openShared();

  function openShared() {
    const momentS = momentIn(location);
    const here = `${location.pathname}${location.search}${location.hash}`;
    if (momentS === null || here === shared) return;
    const button = buttonOf(new URLSearchParams(location.search).get("recording"));
    if (!button) return;
    shared = here;
    opener = button;
    // Nobody pressed anything on this page yet: the browser would not let it sound.
    const plays = (navigator.userActivation?.hasBeenActive ?? false) && !isInCall();
    player.open(button.dataset.play, { what: button.dataset.what, momentS, plays });
  }
}

/** The moment counts in the recordings that the one named belongs to; a page without it has nothing to open. */
function buttonOf(recording) {
  const buttons = [...document.querySelectorAll("#main [data-play]")];
  return recording ? buttons.find(({ dataset }) => dataset.play.includes(`/${recording}/`)) : buttons[0];
}

function focusOnOpener(opener) {
  const selector = opener && selectorOf(opener);
  const same = opener?.isConnected ? opener : selector && document.querySelector(`#main ${selector}`);
  (same || document.querySelector("#main"))?.focus({ preventScroll: true });
}

function isInCall() {
  return document.documentElement.hasAttribute("data-in-call");
}
