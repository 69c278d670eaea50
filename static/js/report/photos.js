// The photos of a form: made smaller as soon as they are chosen, shown, taken away again.

import { PhotoRefused, shrink } from "../shrink.js";
import { say } from "../words.js";

const MOST = 6;

export class Photos {
  constructor(form) {
    this.form = form;
    this.input = form.elements.photos;
    this.line = form.querySelector("[data-photo-line]");
    this.list = form.querySelector("[data-thumbs]");
    this.files = [];
    this.ready = Promise.resolve();
    this.input.addEventListener("change", () => {
      const chosen = [...this.input.files];
      this.input.value = "";
      this.ready = this.ready.then(() => this.take(chosen));
    });
  }

  /** One after the other: two large photos at once are too much for a small phone. */
  async take(chosen) {
    const told = [];
    this.say("photos_working");
    for (const file of chosen) {
      if (this.files.length >= MOST) {
        told.push(say("photos_left_out", { most: MOST }));
        break;
      }
      try {
        this.files.push(await shrink(file));
      } catch (error) {
        if (!(error instanceof PhotoRefused)) throw error;
        told.push(say(error.message, { name: file.name.slice(0, 40) }));
      }
      this.show();
    }
    told.unshift(this.files.length ? say("photos_ready", { count: this.files.length }) : "");
    if (this.line) this.line.textContent = told.filter(Boolean).join(" ");
    this.form.dispatchEvent(new CustomEvent("input", { bubbles: true }));
  }

  say(key) {
    if (this.line) this.line.textContent = say(key);
  }

  show() {
    this.list.replaceChildren(...this.files.map((file, index) => this.thumb(file, index)));
  }

  thumb(file, index) {
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
      this.files.splice(index, 1);
      this.show();
      this.form.dispatchEvent(new CustomEvent("input", { bubbles: true }));
    });
    item.append(image, remove);
    return item;
  }
}
