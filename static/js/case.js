// The page of a case: one step form open at a time.

import { say } from "./words.js";

const steps = document.querySelectorAll("details.step");
for (const step of steps) {
  step.addEventListener("toggle", () => {
    if (!step.open) return;
    for (const other of steps) if (other !== step) other.open = false;
    step.querySelector("textarea, select, input:not([type=hidden])")?.focus();
  });
}

addEventListener("offline", () => {
  document.querySelector(".steps")?.setAttribute("data-offline", say("offline_short"));
});
addEventListener("online", () => document.querySelector(".steps")?.removeAttribute("data-offline"));
