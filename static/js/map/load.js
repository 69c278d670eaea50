// The one way by which maps take data: by address.

const kept = new Map();

/** Fetch JSON once per address and page; a failure is forgotten, so that the next call tries again. */
export function load(url) {
  if (!kept.has(url)) {
    const promise = loadJson(url);
    promise.catch(() => kept.delete(url));
    kept.set(url, promise);
  }
  return kept.get(url);
}

/** Fetch JSON anew. */
export async function loadJson(url, options = {}) {
  const headers = { Accept: "application/json" };
  const response = await fetch(url, { credentials: "same-origin", headers, ...options });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.json();
}

/** Fetch a piece of a page. */
export async function loadPiece(url, options = {}) {
  const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.text();
}

/** Fetch bytes; nothing where there are none. */
export async function loadBytes(url) {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.arrayBuffer();
}
