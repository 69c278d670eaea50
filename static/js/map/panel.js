// The panel beside a map (desk) or the sheet over its foot (phone), filled with pieces of pages.

import { say } from "../words.js";
import { loadPiece } from "./load.js";

export class Panel {
  constructor(element) {
    this.element = element;
    this.body = element.querySelector("[data-body]");
    this.onClose = () => {};
    this.turn = 0;
    this.body.addEventListener("click", ({ target }) => {
      const more = target.closest("[data-more]");
      if (more) this.more(more);
    });
    element.querySelector("[data-close]").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !element.hidden) this.close();
    });
  }

  /** Fetch a piece and show it; of two calls the later one wins. With `focus` the keyboard goes to its heading. */
  async open(url, { focus = false } = {}) {
    const turn = ++this.turn;
    this.element.hidden = false;
    this.body.setAttribute("aria-busy", "true");
    try {
      const html = await loadPiece(url);
      if (turn !== this.turn) return;
      this.body.innerHTML = html;
      this.element.scrollTop = 0;
      if (focus) this.body.querySelector("h2")?.focus();
    } catch {
      if (turn === this.turn) this.say(say("no_answer"));
    } finally {
      if (turn === this.turn) this.body.removeAttribute("aria-busy");
    }
  }

  /** Put the next page of a list below what is there, and the keyboard on the first of it. */
  async more(button) {
    const { turn } = this;
    button.disabled = true;
    try {
      const html = await loadPiece(button.dataset.more);
      if (turn !== this.turn) return;
      const piece = document.createElement("template");
      piece.innerHTML = html;
      const added = [...(piece.content.querySelector("[data-list]")?.children ?? [])];
      this.body.querySelector("[data-list]").append(...added);
      const next = piece.content.querySelector("[data-more]");
      this.body.querySelector("[role=alert]")?.remove();
      if (next) button.replaceWith(next);
      else button.remove();
      added[0]?.querySelector("a")?.focus();
    } catch {
      button.disabled = false;
      if (turn === this.turn) this.problem(button);
    }
  }

  problem(button) {
    const line = document.createElement("p");
    line.setAttribute("role", "alert");
    line.textContent = say("no_answer");
    this.body.querySelector("[role=alert]")?.remove();
    button.before(line);
  }

  say(text) {
    this.element.hidden = false;
    const line = document.createElement("p");
    line.className = "muted";
    line.textContent = text;
    this.body.replaceChildren(line);
  }

  close() {
    this.turn += 1;
    this.element.hidden = true;
    this.onClose();
  }
}
