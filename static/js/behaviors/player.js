// Opens the one player at the foot of the page: walking to another page does not stop it, an incoming call does.
// `data-play` is the address of the audio, `data-at` the second in it. `?t=83` on a call's page opens it there.

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
  player.addEventListener("closed", () => {
    if (opener?.isConnected) opener.focus();
    else document.querySelector("#main")?.focus({ preventScroll: true });
  });
  player.addEventListener("moment", ({ detail }) => document.dispatchEvent(new CustomEvent("curbe:heard", { detail })));
  document.addEventListener("curbe:call", () => player.pause());
  document.addEventListener("htmx:afterSettle", openShared);
  openShared();

  function openShared() {
    const momentS = momentIn(location);
    const here = `${location.pathname}${location.search}${location.hash}`;
    if (momentS === null || here === shared) return;
    const wanted = new URLSearchParams(location.search).get("recording") ?? "";
    const buttons = [...document.querySelectorAll("#main [data-play]")];
    const button = buttons.find(({ dataset }) => dataset.play.includes(`/${wanted}/`)) ?? buttons[0];
    if (!button) return;
    shared = here;
    opener = button;
    // Nobody pressed anything on this page yet: the browser would not let it sound.
    const plays = navigator.userActivation?.hasBeenActive ?? false;
    player.open(button.dataset.play, { what: button.dataset.what, momentS, plays });
  }
}
