// Bodies as people read them: forms as a list, XML and JSON indented.
import { el } from "./dom.js";

export function pretty(text) {
  if (!text) return el("p", { class: "quiet" }, "nothing");
  const trimmed = text.trim();
  if (trimmed.startsWith("<")) return el("pre", {}, indented(trimmed));
  if (trimmed.startsWith("{") || trimmed.startsWith("[")) return el("pre", {}, json(trimmed));
  return trimmed.includes("=") ? form(trimmed) : el("pre", {}, trimmed);
}

function form(text) {
  const rows = [...new URLSearchParams(text)].flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
  return el("dl", { class: "form" }, ...rows);
}

function json(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function indented(xml) {
  let depth = 0;
  const lines = xml.replace(/>\s*</g, ">\n<").split("\n");
  return lines
    .map((line) => {
      if (/^<\//.test(line)) depth -= 1;
      const shown = "  ".repeat(Math.max(0, depth)) + line;
      if (/^<[^!?/][^>]*[^/]>$/.test(line) || /^<\w+>$/.test(line)) depth += 1;
      return shown;
    })
    .join("\n");
}
