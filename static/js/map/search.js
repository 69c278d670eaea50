// The search box over the map: a combobox that lists areas and places while one types.

import { loadJson } from "./load.js";
import { say } from "../words.js";

const WAIT_MS = 160;

export class Search {
  /** `form` holds an input and a list; `onChoose(found)` takes what was chosen. */
  constructor(form, url, onChoose) {
    Object.assign(this, { form, url, onChoose, found: [], at: -1, turn: 0 });
    this.input = form.querySelector("input");
    this.list = form.querySelector("[role=listbox]");
    this.input.addEventListener("input", () => this.wait());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("focus", () => this.found.length && this.open(true));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose(Math.max(0, this.at));
    });
    document.addEventListener("click", ({ target }) => {
      if (!form.contains(target)) this.open(false);
    });
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT_MS);
  }

  async ask() {
    const turn = ++this.turn;
    const text = this.input.value.trim();
    if (!text) return this.show([], "");
    try {
      const { found } = await loadJson(`${this.url}?q=${encodeURIComponent(text)}`);
      if (turn === this.turn) this.show(found, found.length ? "" : say("search_none", { text }));
    } catch {
      if (turn === this.turn) this.show([], say("no_answer"));
    }
  }

  show(found, note) {
    this.found = found;
    this.at = -1;
    const items = found.map((one, index) => {
      const item = document.createElement("li");
      item.id = `found-${index}`;
      item.setAttribute("role", "option");
      const [name, about] = [document.createElement("strong"), document.createElement("span")];
      name.textContent = one.name;
      about.textContent = one.code ? `${one.about} · ${one.code}` : one.about;
      about.className = "muted small";
      item.append(name, about);
      item.addEventListener("click", () => this.choose(index));
      return item;
    });
    if (note) {
      const line = document.createElement("li");
      line.className = "muted";
      line.setAttribute("role", "option");
      line.setAttribute("aria-disabled", "true");
      line.textContent = note;
      items.push(line);
    }
    this.list.replaceChildren(...items);
    this.mark();
    this.open(items.length > 0);
  }

  open(shown) {
    this.list.hidden = !shown;
    this.input.setAttribute("aria-expanded", String(shown));
  }

  mark() {
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.at)));
    if (this.at < 0) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", `found-${this.at}`);
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) {
      event.preventDefault();
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.open(true);
      this.mark();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (this.list.hidden) this.input.value = "";
      this.open(false);
    }
  }

  choose(index) {
    const one = this.found[index];
    if (!one) return;
    this.input.value = one.name;
    this.open(false);
    this.onChoose(one);
  }
}
