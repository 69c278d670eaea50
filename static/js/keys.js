// Keys on the desk: / searches, ? lists the keys, g then a letter goes to a page. Never while writing.

import { say } from "./words.js";

const PAGES = { m: "/", c: "/cases", o: "/office", r: "/report", g: "/guide" };
const MARKS = {
  slash: "/",
  esc: "Esc",
  next: "j k",
  open: "Enter",
  arrows: "← ↑ ↓ →",
  plus: "+ −",
  enter: "Enter",
};
let waiting = false;

/** Return the links of a list that are shown: of the table on a desk, of the cards on a phone. */
function rows() {
  const links = document.querySelectorAll("main tbody tr td a, main .card > a, main .task-what");
  return [...links].filter((link) => link.offsetParent !== null);
}

function walk(step) {
  const links = rows();
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function isWriting(target) {
  return target.closest?.("input, textarea, select, [contenteditable]") !== null;
}

function showKeys() {
  const dialog = document.getElementById("keys");
  const title = document.createElement("h2");
  title.id = "keys-title";
  title.textContent = say("keys.title");
  const list = document.createElement("dl");
  list.className = "facts";
  const onMap = document.querySelector(".folium-map") ? ["arrows", "plus", "enter"] : [];
  const onList = rows().length ? ["next", "open"] : [];
  for (const key of ["slash", ...onList, "m", "c", "o", "r", "g", ...onMap, "esc"]) {
    const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
    const mark = document.createElement("kbd");
    mark.textContent = MARKS[key] ?? `g ${key}`;
    term.append(mark);
    meaning.textContent = say(`keys.${key}`);
    list.append(term, meaning);
  }
  const close = document.createElement("button");
  close.className = "secondary";
  close.textContent = say("keys.close");
  close.addEventListener("click", () => (dialog.close ? dialog.close() : dialog.removeAttribute("open")));
  const frame = document.createElement("article");
  frame.append(title, list, close);
  dialog.replaceChildren(frame);
  if (dialog.showModal) dialog.showModal();
  else dialog.setAttribute("open", ""); // Safari before 15.4 has no dialogs of its own
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
  if (waiting) {
    waiting = false;
    const page = PAGES[event.key];
    if (page) location.assign(page);
    return;
  }
  if (event.key === "g") {
    waiting = true;
    setTimeout(() => (waiting = false), 1500);
  } else if (event.key === "/") {
    const search = document.getElementById("search");
    event.preventDefault();
    if (search) search.focus();
    else location.assign("/cases#search");
  } else if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "?") showKeys();
});

// Menus and boxes close when something else is touched or Escape is pressed.
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
if (location.hash === "#search") document.getElementById("search")?.focus();
