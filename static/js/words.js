// The words that scripts say, given by the page in its own tongue.

let table = null;

/** Return the words under `key` with {named} values filled in. */
export function say(key, values = {}) {
  table ??= JSON.parse(document.getElementById("words")?.textContent ?? "{}");
  return fill(table[key] ?? key, values);
}

export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}
