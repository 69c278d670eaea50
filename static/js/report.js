// The report form: where, what, photos, who will get it; sent once, and kept until it is acknowledged.

import { loadPiece } from "./map/load.js";
import { deliver, setToken } from "./report/deliver.js";
import { dropDraft, readDraft, restoreDraft, saveDraft } from "./report/draft.js";
import { drop, keep, listKept } from "./report/keep.js";
import { Outbox } from "./report/outbox.js";
import { Photos } from "./report/photos.js";
import { wirePlace } from "./report/place.js";
import { say } from "./words.js";

const form = document.getElementById("report");
const problem = document.getElementById("problem");
const line = form.querySelector("[data-place-line]");
const isPublic = form.dataset.kept === "public";
const photos = new Photos(form);
let turn = 0;
let sending = false;
let waiting = null; // the report as it was last sent without an answer
let changed = false;

form.classList.add("enhanced");
setToken(form.elements.csrf_token.value);
wirePlace(form);
form.addEventListener("place", showPlace);
form.addEventListener("change", ({ target }) => {
  if (["tile", "category", "owner"].includes(target.name)) ask();
});
form.addEventListener("input", () => {
  changed = true;
  if (isPublic) saveDraft(form);
});
form.addEventListener("submit", send);
window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
window.addEventListener("online", again);
if (isPublic) begin();
if (form.elements.lat.value !== "") showPlace();

/** Bring back what was typed, unless it waits in the outbox already, and send what waits there. */
async function begin() {
  const draft = form.dataset.refused === undefined ? readDraft() : null;
  const kept = (await listKept()).map(({ uuid }) => uuid);
  const uuid = draft?.find(([name]) => name === "uuid")?.[1];
  if (draft && uuid && !kept.includes(uuid) && restoreDraft(form, draft)) {
    tell(say("draft_back"), false);
    if (form.elements.lat.value !== "") form.dispatchEvent(new CustomEvent("draw-place"));
    ask();
  }
  new Outbox(document.querySelector("[data-outbox]")).begin();
}

function showPlace() {
  const accuracy = form.elements.accuracy.value;
  line.textContent = accuracy ? say("placed_within", { metres: accuracy }) : say("placed");
  changed = true;
  if (isPublic) saveDraft(form);
  ask();
}

/** Ask who will get it, and what is open close by; of several questions under way the last one's answer is shown. */
async function ask() {
  const values = new URLSearchParams();
  for (const name of ["lon", "lat", "accuracy", "tile", "category", "owner"]) {
    const value = new FormData(form).get(name);
    if (value) values.set(name, String(value));
  }
  if (!values.get("lon") || !values.get("lat")) return;
  const asked = ++turn;
  await Promise.all([
    show(asked, "div[data-preview]", `${form.dataset.preview}?${values}`, say("preview_failed")),
    isPublic && values.get("tile") ? show(asked, "div[data-nearby]", `${form.dataset.nearby}?${values}`, "") : null,
  ]);
}

async function show(asked, place, url, otherwise) {
  const element = form.querySelector(place);
  try {
    const html = await loadPiece(url);
    if (asked === turn) element.innerHTML = html;
  } catch {
    if (asked === turn) element.textContent = otherwise;
  }
}

async function send(event) {
  event.preventDefault();
  if (sending) return; // the second tap of a double tap
  if (!form.elements.lat.value && !form.elements.place_text.value.trim()) {
    tell(say("needs_place"));
    return;
  }
  sending = true;
  const button = form.querySelector(".send button");
  button.setAttribute("aria-busy", "true");
  try {
    await photos.ready;
    await hand(makeReport());
  } finally {
    sending = false;
    button.removeAttribute("aria-busy");
  }
}

/** The form as it is now. Unchanged since the last try it is that very report, byte for byte. */
function makeReport() {
  if (waiting && !changed) return waiting;
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrf_token" && name !== "photos");
  const tile = form.querySelector(".tile input:checked");
  return {
    uuid: form.elements.uuid.value,
    at: Date.now(),
    what: tile?.closest(".tile").textContent.trim() ?? "",
    action: form.getAttribute("action"),
    fields,
    photos: photos.files.map((file) => ({ name: file.name, blob: file })),
    earlier: waiting && { ...waiting, earlier: null },
  };
}

async function hand(report) {
  changed = false;
  const kept = isPublic && (await keep(report));
  const answer = await deliver(report);
  if (answer.location) {
    await drop(report.uuid);
    dropDraft();
    location.assign(answer.location);
    return;
  }
  if (answer.lost) {
    waiting = report;
    tell(say(kept ? "kept_phone" : "kept_page"));
    return;
  }
  await drop(report.uuid);
  tell(answer.words || say("send_failed"));
}

/** The network is back: what waits is sent by itself, unless it was changed meanwhile. */
function again() {
  if (!waiting || sending) return;
  if (changed) tell(say("changed_later"));
  else form.requestSubmit ? form.requestSubmit() : form.dispatchEvent(new Event("submit", { cancelable: true }));
}

function tell(text, scroll = true) {
  problem.querySelector("p").textContent = text;
  problem.hidden = false;
  if (scroll) problem.scrollIntoView({ block: "center" });
}
