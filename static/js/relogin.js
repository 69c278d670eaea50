// A session that ended in the middle of a form: log in right here, so that neither words nor photos leave the page.

import { say } from "./words.js";

/** Ask who the session belongs to now: {user, csrf}; null where there is no answer. */
export async function whoNow() {
  try {
    const answer = await fetch("/session", { headers: { Accept: "application/json" }, cache: "no-store" });
    const text = await answer.text();
    return answer.ok ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Give every form of the page the token of the new session. */
export function giveToken(csrf) {
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = csrf;
}

function field(label, type, autocomplete) {
  const input = Object.assign(document.createElement("input"), { type, autocomplete, required: true });
  input.autocapitalize = "none";
  const frame = document.createElement("label");
  frame.append(label, input);
  return { frame, input };
}

/** Show the log-in below a form. `onBack` is called with the user who logged in and the new token. */
export function ask(form, onBack) {
  form.parentElement.querySelector(".relogin")?.remove();
  const box = document.createElement("form");
  box.className = "relogin note warn";
  const words = document.createElement("p");
  words.setAttribute("role", "alert");
  words.textContent = say("session_ended");
  const name = field(say("login_name"), "text", "username");
  const password = field(say("login_password"), "password", "current-password");
  const button = document.createElement("button");
  button.textContent = say("login_again");
  box.append(words, name.frame, password.frame, button);
  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    const problem = await logIn(name.input.value, password.input.value);
    button.removeAttribute("aria-busy");
    if (problem) {
      words.textContent = problem;
      return;
    }
    const session = await whoNow();
    if (!session?.user) {
      words.textContent = say("no_answer");
      return;
    }
    giveToken(session.csrf);
    box.remove();
    onBack(String(session.user));
  });
  form.after(box);
  box.scrollIntoView({ block: "nearest" });
  name.input.focus();
}

async function logIn(name, password) {
  const session = await whoNow();
  if (!session) return say("no_answer");
  const content = new FormData();
  content.set("csrf_token", session.csrf);
  content.set("name", name);
  content.set("password", password);
  try {
    const answer = await fetch("/login", { method: "POST", body: content, headers: { "X-Mapsvc-Form": "1" } });
    await answer.text();
    if (answer.ok) return "";
    return answer.status === 401 ? say("login_wrong") : say("no_answer");
  } catch {
    return say("no_answer");
  }
}
