// One player at the foot of the page: walking to another page does not stop it, an incoming call does.

export function connect() {
  const player = document.querySelector("#player");
  const audio = player.querySelector("audio");
  const what = player.querySelector("[data-player-what]");
  let opener = null;

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-play]");
    if (!button) return;
    opener = button;
    what.textContent = button.dataset.what;
    player.hidden = false;
    if (audio.getAttribute("src") !== button.dataset.play) audio.src = button.dataset.play;
    // Words that were written down know where they were said. Set before the audio is there, it is where that begins.
    audio.currentTime = Number(button.dataset.at ?? 0);
    audio.play().catch(() => {});
    audio.focus({ preventScroll: true });
  });
  player.querySelector("[data-player-close]").addEventListener("click", () => {
    audio.pause();
    player.hidden = true;
    if (opener?.isConnected) opener.focus();
  });
  audio.addEventListener("error", () => {
    if (audio.src) what.textContent = player.dataset.failed;
  });
  document.addEventListener("curbe:call", () => audio.pause());
}
