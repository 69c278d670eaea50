// The page of a case: one step form open at a time, none sent twice, large photos made smaller.

import { shrink } from "./shrink.js";
import { say } from "./words.js";

const steps = document.querySelectorAll("details.step");
for (const step of steps) {
  step.addEventListener("toggle", () => {
    if (!step.open) return;
    for (const other of steps) if (other !== step) other.open = false;
    step.querySelector("textarea, select, input:not([type=hidden])")?.focus();
  });
}

for (const form of document.querySelectorAll(".steps form")) {
  form.addEventListener("submit", async (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    form.querySelector("button").setAttribute("aria-busy", "true");
    const photos = form.elements.photos;
    if (!photos?.files.length || !("DataTransfer" in window)) return undefined;
    event.preventDefault();
    const smaller = new DataTransfer();
    for (const file of photos.files) smaller.items.add(await shrink(file));
    photos.files = smaller.files;
    form.submit();
    return undefined;
  });
}

// A page taken from the browser's memory may be old: its forms may be sent again, the server decides.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("button").removeAttribute("aria-busy");
  }
});

addEventListener("offline", () => {
  document.querySelector(".steps")?.setAttribute("data-offline", say("offline_short"));
});
addEventListener("online", () => document.querySelector(".steps")?.removeAttribute("data-offline"));
