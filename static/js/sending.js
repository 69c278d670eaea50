// Sends a form by script: with progress, once, and without losing a word when the way breaks or the session ended.

import { shrink } from "./shrink.js";

const PATIENCE_MS = 30_000;
const PATIENCE_PHOTOS_MS = 300_000;

/** Return what a form says, its photos made smaller where they are large. Raises `PhotoRefused`. */
export async function contentOf(form, submitter) {
  const content = new FormData(form);
  if (submitter?.name) content.set(submitter.name, submitter.value);
  const photos = form.elements.photos?.files;
  if (photos?.length) {
    content.delete("photos");
    for (const file of photos) {
      const small = await shrink(file).catch((error) => {
        throw Object.assign(error, { file: file.name });
      });
      content.append("photos", small, small.name);
    }
  } else content.delete("photos");
  return content;
}

/**
 * Post it; the answer is one of {kind: "done", to}, {kind: "login"}, {kind: "refused", text, status}, {kind: "offline"}.
 * `onProgress` is called with the share that was sent, 0 to 1.
 */
export function post(url, content, onProgress = () => {}) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-Mapsvc-Form", "1");
    request.setRequestHeader("Accept", "text/html");
    request.timeout = content.has("photos") ? PATIENCE_PHOTOS_MS : PATIENCE_MS;
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable && total > 0) onProgress(loaded / total);
    };
    request.onload = () =>
      done(readAnswer(request.status, request.responseText, request.getResponseHeader("Content-Type")));
    request.onerror = request.ontimeout = request.onabort = () => done({ kind: "offline" });
    request.send(content);
  });
}

/** Read what the server answered. Where a page came back its own words say what was wrong. */
export function readAnswer(status, text, type) {
  if (status >= 200 && status < 300 && (type ?? "").startsWith("application/json")) {
    return { kind: "done", to: JSON.parse(text).to };
  }
  if (status === 502 || status === 503 || status === 504 || status === 0) return { kind: "offline" };
  const page = new DOMParser().parseFromString(text, "text/html");
  const code = page.querySelector("[data-code]")?.dataset.code;
  if (status === 401 || code === "csrf_failed") return { kind: "login" };
  if (status >= 200 && status < 300) return { kind: "done", to: "" };
  const words = page.querySelector("main [role=alert]") ?? page.querySelector("main [data-code] p");
  return { kind: "refused", status, text: words?.textContent.trim() ?? "" };
}
