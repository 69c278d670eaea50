// A slider through months: by hand, by keyboard (it is a range), or playing by itself.

const STEP_MS = 1200;

export class Slider {
  constructor(element, months) {
    this.element = element;
    this.months = months;
    this.onMove = () => {};
    this.timer = null;
    this.input = element.querySelector("input");
    this.button = element.querySelector("[data-play]");
    this.labels = [this.button.getAttribute("aria-label"), this.button.dataset.pauseLabel];
    this.input.addEventListener("input", () => {
      this.stop();
      this.show();
    });
    this.button.addEventListener("click", () => (this.timer ? this.stop() : this.play()));
    this.name();
    element.hidden = false;
  }

  get at() {
    return Number(this.input.value);
  }

  show() {
    this.name();
    this.onMove(this.at);
  }

  name() {
    const month = this.months[this.at];
    this.input.setAttribute("aria-valuetext", month);
    this.tell(month);
    const heading = document.querySelector("[data-map-month]");
    if (heading && this.moved) heading.textContent = month;
    this.moved = true;
  }

  tell(text) {
    this.element.querySelector("output").textContent = text;
  }

  play() {
    if (this.at === this.months.length - 1) this.input.value = "0";
    else this.input.value = String(this.at + 1);
    this.mark(true);
    this.show();
    this.timer = setInterval(() => {
      if (this.at === this.months.length - 1) return this.stop();
      this.input.value = String(this.at + 1);
      return this.show();
    }, STEP_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.mark(false);
  }

  mark(moving) {
    this.button.setAttribute("aria-label", this.labels[moving ? 1 : 0]);
    this.button.querySelector("[data-when=still]").hidden = moving;
    this.button.querySelector("[data-when=moving]").hidden = !moving;
  }
}
