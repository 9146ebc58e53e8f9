// The page's one socket, shared by the behaviours and the phone.

import { Live } from "./live.js";

const url = document.querySelector('meta[name="live-url"]')?.content ?? "";

export const live = url ? new Live(url) : null;

/** Show a line at the foot of the page; the words come from the template. Empty hides it. */
export function notice(name, shown) {
  const element = document.querySelector("#notice");
  element.textContent = shown ? element.dataset[name] : "";
  element.hidden = !shown;
}
