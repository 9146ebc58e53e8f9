// A form that becomes an address leaves out what was left blank: the address stays short enough to be sent to somebody.

export function connect() {
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (!detail.elt.matches("[data-drops-blanks]")) return;
    for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name);
  });
}
