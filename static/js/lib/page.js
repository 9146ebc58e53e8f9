// The page's one socket, shared by the behaviours and the phone, and its one line of news.

import { Live } from "./live.js";
import { Notices } from "./notices.js";

const url = document.querySelector('meta[name="live-url"]')?.content ?? "";
const notices = new Notices();

export const live = url ? new Live(url) : null;

/** Show a line at the head of the page, or take it away; the words stand in the template. `again()` tries once more. */
export function notice(name, isShown, again = null) {
  notices.set(name, isShown, again);
  const { first } = notices;
  const element = document.querySelector("#notice");
  for (const words of element.querySelectorAll("[data-notice]")) words.hidden = words.dataset.notice !== first.name;
  const button = element.querySelector("[data-notice-again]");
  button.hidden = first.again === null;
  button.onclick = first.again;
  element.hidden = first.name === "";
}
