// The report form: who will get it, small previews of photos, sending once, keeping everything when it fails.

import { loadPiece } from "./map/load.js";
import { shrink } from "./shrink.js";
import { say } from "./words.js";

const form = document.getElementById("report");
const problem = document.getElementById("problem");
const photos = form.elements.photos;
const line = form.querySelector("[data-place-line]");
let chosen = [];
let turn = 0;
let sending = false;

form.classList.add("enhanced");
form.addEventListener("place", showPlace);
form.addEventListener("change", ({ target }) => {
  if (["tile", "category", "owner"].includes(target.name)) preview();
});
photos.addEventListener("change", takePhotos);
form.addEventListener("submit", send);
if (form.elements.lat.value !== "") showPlace();

function showPlace() {
  const accuracy = form.elements.accuracy.value;
  line.textContent = accuracy ? say("placed_within", { metres: accuracy }) : say("placed");
  preview();
}

/** Ask who will get it; of several questions under way only the last one's answer is shown. */
async function preview() {
  const values = new URLSearchParams();
  for (const name of ["lon", "lat", "accuracy", "tile", "category", "owner"]) {
    const value = new FormData(form).get(name);
    if (value) values.set(name, String(value));
  }
  if (!values.get("lon") || !values.get("lat")) return;
  const asked = ++turn;
  const place = form.querySelector("div[data-preview]");
  try {
    const html = await loadPiece(`${form.dataset.preview}?${values}`);
    if (asked === turn) place.innerHTML = html;
  } catch {
    if (asked === turn) place.textContent = say("preview_failed");
  }
}

function takePhotos() {
  chosen = [...chosen, ...photos.files].slice(0, 6);
  photos.value = "";
  photos.required = false;
  showThumbs();
}

function showThumbs() {
  const list = form.querySelector("[data-thumbs]");
  list.replaceChildren(
    ...chosen.map((file, index) => {
      const item = document.createElement("li");
      const image = document.createElement("img");
      image.alt = say("photo_number", { number: index + 1 });
      image.src = URL.createObjectURL(file);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src));
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "secondary";
      remove.textContent = "×";
      remove.setAttribute("aria-label", say("photo_remove", { number: index + 1 }));
      remove.addEventListener("click", () => {
        chosen.splice(index, 1);
        showThumbs();
      });
      item.append(image, remove);
      return item;
    }),
  );
}

async function send(event) {
  event.preventDefault();
  if (sending) return; // the second tap of a double tap
  if (!form.elements.lat.value && !form.elements.place_text.value.trim()) return tell(say("needs_place"));
  sending = true;
  const button = form.querySelector(".send button");
  button.setAttribute("aria-busy", "true");
  try {
    const body = new FormData(form);
    body.delete("photos");
    for (const file of chosen) body.append("photos", await shrink(file));
    // The form's UUID stays: when the answer is lost, sending again is the same report.
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (!response.ok) return tell(answer.words ?? answer.detail ?? say("send_failed"));
    location.assign(answer.location);
    return undefined;
  } catch {
    return tell(say(navigator.onLine ? "send_failed" : "offline"));
  } finally {
    sending = false;
    button.removeAttribute("aria-busy");
  }
}

function tell(text) {
  problem.querySelector("p").textContent = text;
  problem.hidden = false;
  problem.scrollIntoView({ block: "center" });
}
