// Lists in a form: rows are added, removed and moved here. Without this script a blank row and two fields do the same.

export function connect() {
  document.documentElement.toggleAttribute("data-scripted", true);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-rows-add], [data-row-up], [data-row-down], [data-row-remove]");
    if (!button) return;
    const list = button.closest("[data-rows]").querySelector("[data-rows-list]");
    const row = button.closest("[data-row]");
    if (!row) add(list);
    else if (button.hasAttribute("data-row-remove")) remove(row, list);
    else move(row, button.hasAttribute("data-row-up"), button);
    number(list);
    // What listens for changes (the preview) hears of this one too.
    if (row) list.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function add(list) {
  const box = list.closest("[data-rows]");
  const total = box.querySelector('[name$="-TOTAL_FORMS"]');
  const blank = box.querySelector("[data-rows-blank]").innerHTML.replaceAll("__prefix__", total.value);
  list.insertAdjacentHTML("beforeend", blank);
  total.value = Number(total.value) + 1;
  list.lastElementChild.querySelector("select, input:not([type=hidden])").focus();
}

function remove(row, list) {
  row.querySelector('[name$="-DELETE"]').checked = true;
  row.hidden = true;
  const next = shown(list).at(0) ?? list.closest("[data-rows]");
  next.querySelector("[data-row-remove], [data-rows-add]").focus();
}

function move(row, isUp, button) {
  const rows = shown(row.parentElement);
  const other = rows[rows.indexOf(row) + (isUp ? -1 : 1)];
  if (!other) return;
  if (isUp) other.before(row);
  else other.after(row);
  button.focus();
}

function number(list) {
  shown(list).forEach((row, index) => {
    const position = row.querySelector("[data-position]");
    if (position) position.value = index + 1;
  });
}

function shown(list) {
  return [...list.children].filter((row) => !row.hidden && !row.classList.contains("rows__one--blank"));
}
