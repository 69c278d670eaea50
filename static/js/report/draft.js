// What was typed and not sent survives a reload: in this tab only, and gone once it was sent.

const NAME = "mapsvc-report-draft";
const NOT_KEPT = ["csrf_token", "photos", "join", "side"];

export function saveDraft(form) {
  const fields = [...new FormData(form)].filter(
    ([name, value]) => !NOT_KEPT.includes(name) && typeof value === "string",
  );
  try {
    sessionStorage.setItem(NAME, JSON.stringify(fields));
  } catch {
    // Without storage the page itself is the only place.
  }
}

export function dropDraft() {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Nothing was kept then.
  }
}

export function readDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? "null");
  } catch {
    return null;
  }
}

/** Put a draft back; true when it held anything that somebody wrote or chose. */
export function restoreDraft(form, fields) {
  const written = fields.filter(([name, value]) => value && !["uuid", "board", "source", "accuracy"].includes(name));
  if (!written.length) return false;
  for (const [name, value] of fields) {
    const element = form.elements[name];
    if (element) element.value = value;
  }
  return true;
}
