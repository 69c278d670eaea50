// What somebody typed and has not sent: kept on this device under that account and that form, until it is sent.

const PREFIX = "mapsvc:draft:";
const KEPT_DAYS = 7;
const FIELDS = "textarea, input:not([type=hidden], [type=file], [type=password], [type=search]), select";

function storage() {
  try {
    return window.localStorage;
  } catch {
    return null; // a browser that keeps nothing: the form still works
  }
}

/** Return under which key the draft of a form is kept; nobody's forms keep none. */
export function keyOf(user, action) {
  return user ? `${PREFIX}${user}:${new URL(action, location.href).pathname}` : "";
}

/** Return the fields of a form that somebody fills in. */
export function fieldsOf(form) {
  return [...form.querySelectorAll(FIELDS)].filter((field) => field.name);
}

/** Return what is in a form as a plain object; empty fields are left out. */
export function read(form) {
  const found = {};
  for (const field of fieldsOf(form)) {
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked !== field.defaultChecked && field.checked) found[field.name] = field.value;
    } else if (field.tagName === "SELECT") {
      const first = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
      if (first && field.value !== first.value) found[field.name] = field.value;
    } else if (field.value.trim() && field.value !== field.defaultValue) found[field.name] = field.value;
  }
  return found;
}

/** Keep what a form says under a key; nothing said, nothing kept. */
export function keep(key, form, now = Date.now()) {
  if (!key) return;
  const values = read(form);
  try {
    if (Object.keys(values).length) storage()?.setItem(key, JSON.stringify({ at: now, values }));
    else storage()?.removeItem(key);
  } catch {
    // No room, or not allowed: what is on the page is still there.
  }
}

/** Put a kept draft into a form again; true where there was one. */
export function restore(key, form, now = Date.now()) {
  const kept = key && storage()?.getItem(key);
  if (!kept) return false;
  const { at, values } = JSON.parse(kept);
  if (now - at > KEPT_DAYS * 86_400_000) {
    drop(key);
    return false;
  }
  let any = false;
  for (const field of fieldsOf(form)) {
    if (!(field.name in values)) continue;
    any = true;
    if (field.type === "checkbox" || field.type === "radio") field.checked = field.value === values[field.name];
    else field.value = values[field.name];
  }
  return any;
}

/** Forget a draft: it was sent, or its writer does not want it. */
export function drop(key) {
  if (key) storage()?.removeItem(key);
}

/** Return how many drafts this device holds for an account, or for all of them. */
export function count(user = "") {
  const kept = storage();
  if (!kept) return 0;
  const begin = user ? `${PREFIX}${user}:` : PREFIX;
  let found = 0;
  for (let index = 0; index < kept.length; index += 1) if (kept.key(index).startsWith(begin)) found += 1;
  return found;
}
