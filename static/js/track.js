// Copies the address of a report: by the clipboard where the page may, else by a selection.

import { say } from "./words.js";

const button = document.querySelector("[data-copy]");
if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(button.dataset.copy);
    document.querySelector("[data-copied]").textContent = say(done ? "copied" : "copy_failed");
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // no secure connection, or a web view without a clipboard
  }
}

function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  field.setAttribute("aria-hidden", "true");
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
