// What a person has set the player to, kept in the browser for the next recording.

import { SPEEDS } from "../lib/timeline.js";

const KEY = "curbe.player";

/** Return {speed, isSkipping}; what nobody set, or what cannot be read, is as it is at first. */
export function kept() {
  let found = null;
  try {
    found = JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch {
    // Somebody else's words, or no place to keep any.
  }
  const speed = SPEEDS.includes(found?.speed) ? found.speed : 1;
  return { speed, isSkipping: found?.isSkipping === true };
}

export function keep({ speed, isSkipping }) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ speed, isSkipping }));
  } catch {
    // Without a place to keep it, it holds as long as the page.
  }
}
