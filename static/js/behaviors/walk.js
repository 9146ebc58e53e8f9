// Boosted links swap <main> only: the page around it is kept in step, and a page that does not come is owned up to.

import { notice } from "../lib/page.js";

/** The request of the page that is being walked to; null while the person stays where he is. */
let walking = null;
/** Ids of what was fetched anew meanwhile, and not shown. */
const missed = new Set();

export function connect() {
  const { body } = document;
  markWhereWeAre();
  body.addEventListener("htmx:beforeRequest", ({ detail }) => isWalk(detail) && onBegin(detail));
  body.addEventListener("htmx:beforeSwap", onBeforeSwap);
  body.addEventListener("htmx:afterRequest", ({ detail }) => detail.xhr === walking && onEnd());
  body.addEventListener("htmx:afterSettle", onSettled);
  body.addEventListener("htmx:sendError", ({ detail }) => isWalk(detail) && sayAway(detail));
  body.addEventListener("htmx:timeout", ({ detail }) => isWalk(detail) && sayAway(detail));
  // The Back button: the address has changed already, and htmx says nothing when the page does not come.
  body.addEventListener("htmx:historyCacheMiss", ({ detail }) => detail.xhr.addEventListener("error", sayNotBack));
  body.addEventListener("htmx:historyCacheMissLoadError", sayNotBack);
  body.addEventListener("htmx:historyRestore", onArrived);
}

function onBegin({ xhr }) {
  // Of two links the later one is meant, whichever page comes first.
  walking?.abort();
  walking = xhr;
  document.documentElement.toggleAttribute("data-busy", true);
}

function onBeforeSwap({ detail }) {
  const { xhr, target } = detail;
  if (!isWalk(detail) && walking && target.closest("#main")) {
    // htmx forgets where a link leads when its row is replaced while the page is on its way.
    detail.shouldSwap = false;
    missed.add(target.id);
    return;
  }
  if (xhr.status < 400) return;
  // A page of an error is shown where the page would be; a row whose fetch failed is left as it is. What a proxy says in
  // our place has no <main>, and would leave none.
  const isOurs = xhr.responseText.includes('id="main"');
  detail.shouldSwap = isWalk(detail) && isOurs;
  if (isWalk(detail) && !isOurs) sayAway(detail);
}

function onEnd() {
  walking = null;
  document.documentElement.toggleAttribute("data-busy", false);
  for (const id of missed) {
    const element = document.getElementById(id);
    if (element) window.htmx.trigger(element, "refresh");
  }
  missed.clear();
}

function onSettled({ detail }) {
  if (detail.target?.id !== "main" && detail.elt?.id !== "main") return;
  onArrived();
  document.querySelector("#main").focus({ preventScroll: true });
}

function onArrived() {
  notice("pageAway", false);
  markWhereWeAre();
}

function markWhereWeAre() {
  for (const link of document.querySelectorAll("[data-nav] a")) {
    const isHere = new URL(link.href).pathname === location.pathname;
    // A link may stand for a whole part of the site.
    const covers = (link.dataset.covers ?? "").split(" ").filter(Boolean);
    const isNear = covers.some((start) => location.pathname.startsWith(start));
    if (isHere || isNear) link.setAttribute("aria-current", isHere ? "page" : "true");
    else link.removeAttribute("aria-current");
  }
  for (const field of document.querySelectorAll("[data-here]")) field.value = location.pathname + location.search;
}

function sayAway({ requestConfig, pathInfo }) {
  notice("pageAway", true, () => walkAgain(requestConfig.elt, pathInfo.requestPath));
}

function walkAgain(elt, path) {
  if (elt.matches("form")) return elt.requestSubmit();
  // A row may have been fetched anew since, and its link with it.
  const link = elt.isConnected ? elt : document.querySelector(`a[href="${CSS.escape(path)}"]`);
  return link?.click();
}

function sayNotBack() {
  const again = () => window.dispatchEvent(new PopStateEvent("popstate", { state: { htmx: true } }));
  notice("pageAway", true, again);
}

function isWalk({ boosted, target }) {
  return Boolean(boosted) || target?.id === "main";
}
