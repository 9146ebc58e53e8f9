// The same element again, in what replaced it: a row that was fetched anew, a page that was.

/** What a person would know it by. Words may change (Play 0:12), these do not. */
const TELLING = ["id", "data-play", "data-at", "data-dial-number", "data-copy-json", "href", "name"];

/** Return a selector of elements that are this one as people see it; empty: nothing tells it from others. */
export function selectorOf(element) {
  const told = TELLING.filter((name) => element.hasAttribute(name)).map(
    (name) => `[${name}="${element.getAttribute(name).replace(/["\\]/g, String.raw`\$&`)}"]`,
  );
  return told.length > 0 ? element.localName + told.join("") : "";
}
