// Sends one report. Its UUID makes it safe to send again: what arrived before is recognised, never doubled.

const LONGEST_MS = 120_000;

let token = "";

export function setToken(text) {
  token = text;
}

/**
 * Return {location} when the report is on the server, {words, code} when it was refused for good,
 * {lost: true} when nobody knows and it is to be sent again.
 */
export async function deliver(report) {
  let answer = await post(report);
  if (answer.code === "csrf_failed" && (await renewToken())) answer = await post(report);
  // An earlier try with other words did arrive, its answer was lost: that one counts, and has the code.
  if (answer.code === "already_reported" && report.earlier) {
    const first = await post(report.earlier);
    if (first.location) return { location: first.location + "&first=1" };
  }
  return answer;
}

async function post({ action, fields, photos }) {
  const body = new FormData();
  body.set("csrf_token", token);
  for (const [name, value] of fields) body.append(name, value);
  for (const { name, blob } of photos) body.append("photos", blob, name);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LONGEST_MS);
  try {
    const options = { method: "POST", body, headers: { Accept: "application/json" }, signal: limit.signal };
    const response = await fetch(action, options);
    const answer = await response.json();
    if (response.ok) return { location: answer.location };
    const words = answer.words ?? answer.detail ?? "";
    return { words, code: answer.code, lost: response.status >= 500, waits: response.status === 429 };
  } catch {
    return { lost: true };
  } finally {
    clearTimeout(timer);
  }
}

/** The page was open longer than its session: take a new token from a new page, and lose nothing. */
async function renewToken() {
  try {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    token = page.querySelector("[name=csrf_token]").value;
    return true;
  } catch {
    return false;
  }
}
