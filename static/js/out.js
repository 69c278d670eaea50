// After the log-out: says whether anything that was typed on this device has not been sent yet.

import { count } from "./drafts.js";
import { say } from "./words.js";

const left = count();
const line = document.querySelector("[data-drafts] p");
if (line) line.textContent = left ? say("drafts_left", { count: left }) : say("nothing_left");
