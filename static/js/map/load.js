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

/** Return an answer that is one; another is read to its end all the same, since Chromium keeps it open until then. */
async function settled(url, options) {
  const response = await fetch(url, { credentials: "same-origin", ...options });
  if (response.ok) return response;
  await response.text();
  throw new Error(`${response.status} ${url}`);
}

/** Fetch JSON anew. */
export async function loadJson(url, options = {}) {
  return (await settled(url, { headers: { Accept: "application/json" }, ...options })).json();
}

/** Fetch a piece of a page. */
export async function loadPiece(url, options = {}) {
  return (await settled(url, { headers: { Accept: "text/html" }, ...options })).text();
}

/** Fetch bytes; nothing where there are none. */
export async function loadBytes(url) {
  return (await settled(url)).arrayBuffer();
}
