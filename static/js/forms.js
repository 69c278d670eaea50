// Every form of staff: sent once, kept while it is not, sent again when the way is back; the undo bar leaves in time.

import * as drafts from "./drafts.js";
import { ask, whoNow, giveToken } from "./relogin.js";
import { PhotoRefused } from "./shrink.js";
import { contentOf, post } from "./sending.js";
import { say } from "./words.js";

const user = document.body.dataset.user ?? "";
document.documentElement.classList.add("scripted");

function tell(form, text, { bad = false, again = null } = {}) {
  let line = form.querySelector(":scope > .sending");
  if (!line) {
    line = document.createElement("div");
    line.className = "sending";
    form.append(line);
  }
  line.classList.toggle("bad", bad);
  line.setAttribute("role", bad ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = text;
  line.replaceChildren(words);
  if (again) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "secondary" });
    button.textContent = say("send_again");
    button.addEventListener("click", again);
    line.append(button);
  }
}

function busy(form, on) {
  if (on) form.dataset.sent = "yes";
  else delete form.dataset.sent;
  for (const button of form.querySelectorAll("button")) {
    if (on) button.setAttribute("aria-busy", "true");
    else button.removeAttribute("aria-busy");
  }
}

async function send(form, submitter) {
  if (form.dataset.sent) return;
  busy(form, true);
  const key = drafts.keyOf(user, form.action);
  const photos = form.elements.photos?.files.length ?? 0;
  tell(form, photos ? say("preparing_photos") : say("sending"));
  let content = null;
  try {
    content = await contentOf(form, submitter);
  } catch (error) {
    if (!(error instanceof PhotoRefused)) throw error;
    busy(form, false);
    form.elements.photos.value = "";
    tell(form, say(error.message, { name: error.file }), { bad: true });
    return;
  }
  const answer = await post(form.action, content, (share) => {
    if (photos) tell(form, say("sending_photos", { share: Math.round(share * 100), count: photos }));
  });
  if (answer.kind === "done") {
    drafts.drop(key);
    tell(form, say("sent"));
    if (answer.to && new URL(answer.to, location.href).href !== location.href) location.assign(answer.to);
    else location.reload();
    return;
  }
  busy(form, false);
  drafts.keep(key, form);
  if (answer.kind === "offline") {
    tell(form, say(navigator.onLine ? "send_failed" : "offline"), { bad: true, again: () => send(form, submitter) });
    form.dataset.waits = "yes";
  } else if (answer.kind === "login") {
    tell(form, say("kept_here"));
    ask(form, (back) => {
      if (back === user || !user) send(form, submitter);
      else location.assign(location.href); // somebody else: what was typed here is not theirs to send
    });
  } else tell(form, answer.text || say("send_failed"), { bad: true, again: () => location.reload() });
}

function isOurs(form) {
  return form.method === "post" && !form.matches("[data-plain], #report, .login-form, .logout-form, .relogin");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !isOurs(form)) return;
  event.preventDefault();
  send(form, event.submitter);
});

// A photo is the whole answer on a card: choosing it sends it.
document.addEventListener("change", ({ target }) => {
  const form = target.form;
  if (target.type === "file" && target.files.length && form?.matches("[data-photos]")) send(form);
});

document.addEventListener("input", ({ target }) => {
  if (target.form && isOurs(target.form) && user) drafts.keep(drafts.keyOf(user, target.form.action), target.form);
});

for (const form of document.querySelectorAll("form[method=post]")) {
  if (!isOurs(form) || !drafts.restore(drafts.keyOf(user, form.action), form)) continue;
  const details = form.closest("details");
  if (details) details.open = true;
  tell(form, say("form_draft_back"));
}

addEventListener("online", () => {
  for (const form of document.querySelectorAll("form[data-waits]")) {
    delete form.dataset.waits;
    send(form);
  }
});

// A page out of the browser's memory: its forms may be sent again, with the token that holds now.
addEventListener("pageshow", async ({ persisted }) => {
  if (!persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) busy(form, false);
  const session = await whoNow();
  if (!session) return;
  if (String(session.user ?? "") !== user) location.reload();
  else giveToken(session.csrf);
});

const undo = document.querySelector("form.undo");
if (undo) setTimeout(() => undo.remove(), Number(undo.dataset.seconds) * 1000);
