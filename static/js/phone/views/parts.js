// What every view does with its elements.

/** Write a text only where it is another one: a live region would read it out again. */
export function fill(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function showOnly(root, selector, isShown) {
  for (const element of root.querySelectorAll(selector)) element.hidden = !isShown(element);
}

/** A list that stands open is not changed under the person's hand. */
export function isBeingChosen(select) {
  return CSS.supports("selector(:open)") ? select.matches(":open") : document.activeElement === select;
}

/** Give a select these [value, text] after its first `kept` options, and leave what is chosen chosen. */
export function fillSelect(select, rows, { kept = 0 } = {}) {
  const wanted = JSON.stringify(rows);
  if (select.dataset.rows === wanted || isBeingChosen(select)) return;
  const { value } = select;
  select.dataset.rows = wanted;
  while (select.options.length > kept) select.remove(kept);
  for (const [key, text] of rows) select.add(new Option(text, key));
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}
