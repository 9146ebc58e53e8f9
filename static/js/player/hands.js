// What a person does to the player: buttons, keys, and the pointer on the wave.

import * as time from "../lib/timeline.js";

export function listen(root, player) {
  root.addEventListener("click", ({ target }) => press(target.closest("button"), player));
  root.addEventListener("keydown", (event) => onKey(event, player));
  root.querySelector("[data-player-speed]").addEventListener("change", ({ target }) => {
    player.speed = Number(target.value);
  });
  const wave = root.querySelector("[data-player-wave]");
  wave.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    wave.setPointerCapture(event.pointerId);
    seekTo(event, wave, player);
  });
  wave.addEventListener("pointermove", (event) => {
    if (wave.hasPointerCapture(event.pointerId)) seekTo(event, wave, player);
  });
}

const BUTTONS = {
  "[data-player-toggle]": (player) => player.toggle(),
  "[data-player-close]": (player) => player.close(),
  "[data-player-skip]": (player) => (player.isSkipping = !player.isSkipping),
  "[data-player-copy]": (player) => player.copyLink(),
  "[data-player-mute]": (player, channel) => player.switch(channel, "muted"),
  "[data-player-solo]": (player, channel) => player.switch(channel, "solo"),
};

function press(button, player) {
  const name = Object.keys(BUTTONS).find((selector) => button?.matches(selector));
  const channel = Number(button?.closest("[data-player-channel]")?.dataset.playerChannel);
  if (name) BUTTONS[name](player, channel);
}

const MEANT = {
  toggle: (player) => player.toggle(),
  by: (player, { seconds }) => player.seek(player.momentS + seconds),
  to: (player, { part }) => player.seek(player.lengthS * part),
  speed: (player, { steps }) => (player.speed = time.nextSpeed(player.speed, steps)),
  skip: (player) => (player.isSkipping = !player.isSkipping),
  close: (player) => player.close(),
};

function onKey(event, player) {
  const meant = time.keyed(event, kindOf(event.target));
  if (!meant) return;
  event.preventDefault();
  // The phone listens too; here a digit is a place in the recording.
  event.stopPropagation();
  MEANT[meant.what](player, meant);
}

function kindOf(element) {
  if (element.matches("select, input, textarea")) return "choice";
  if (element.matches("[role=slider]")) return "slider";
  return element.closest("button, a, summary") ? "button" : "other";
}

function seekTo({ clientX }, wave, player) {
  const { left, width } = wave.getBoundingClientRect();
  player.seek(time.clamp((clientX - left) / width, 0, 1) * player.lengthS);
}
