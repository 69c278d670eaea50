// The panel beside a map (desk) or the sheet over its foot (phone), filled with pieces of pages.

import { say } from "../words.js";
import { loadPiece } from "./load.js";

export class Panel {
  constructor(element) {
    this.element = element;
    this.body = element.querySelector("[data-body]");
    this.onClose = () => {};
    this.turn = 0;
    element.querySelector("[data-close]").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !element.hidden) this.close();
    });
  }

  /** Fetch a piece and show it; of two calls the later one wins. */
  async open(url) {
    const turn = ++this.turn;
    this.element.hidden = false;
    this.body.setAttribute("aria-busy", "true");
    try {
      const html = await loadPiece(url);
      if (turn !== this.turn) return;
      this.body.innerHTML = html;
      this.body.scrollTop = 0;
    } catch {
      if (turn === this.turn) this.say(say("no_answer"));
    } finally {
      if (turn === this.turn) this.body.removeAttribute("aria-busy");
    }
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
