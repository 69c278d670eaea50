// The circles and signs of cases by keyboard: one button that lies on one of them; arrows go to the next in their direction.

import { say } from "../words.js";

const STEP_PX = 160;
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Return the item nearest to a point, or null. */
export function nearest(items, { x, y }) {
  const far = (item) => Math.hypot(item.x - x, item.y - y);
  return items.reduce((best, item) => (best && far(best) <= far(item) ? best : item), null);
}

/** Return the next item from a point in a direction [dx, dy]: near, and rather straight ahead; null where there is none. */
export function nextIn(items, { x, y }, [dx, dy]) {
  let [best, least] = [null, Infinity];
  for (const item of items) {
    const ahead = (item.x - x) * dx + (item.y - y) * dy;
    const aside = Math.abs((item.x - x) * dy) + Math.abs((item.y - y) * dx);
    if (ahead < 4 || aside > 2 * ahead) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [item, cost];
  }
  return best;
}

export class CaseKeys {
  /** `onOpen(item)` does what a click on it does. */
  constructor(map, layer, onOpen) {
    Object.assign(this, { map, layer, onOpen, item: null });
    this.button = document.createElement("button");
    this.button.className = "case-focus";
    this.button.type = "button";
    this.said = document.createElement("p");
    this.said.className = "visually-hidden";
    this.said.setAttribute("role", "status");
    map.getContainer().append(this.button, this.said);
    this.button.addEventListener("focus", () => this.choose(this.same() ?? nearest(this.inView(), this.middle())));
    this.button.addEventListener("keydown", (event) => this.key(event));
    this.button.addEventListener("click", (event) => {
      event.stopPropagation(); // Enter on it is no click on the map below
      if (!this.item) return;
      this.opened = true;
      this.onOpen(this.item);
    });
    layer.on("drawn", ({ whole }) => this.follow(whole));
    map.on("movestart", () => this.button.classList.add("moving"));
    this.follow(true);
  }

  middle() {
    const { x, y } = this.map.getSize();
    return { x: x / 2, y: y / 2 };
  }

  inView() {
    const { x, y } = this.map.getSize();
    return this.layer.drawn().filter((item) => item.x >= 0 && item.y >= 0 && item.x <= x && item.y <= y);
  }

  /** After a list was closed: the keyboard is where it opened it. */
  comeBack() {
    if (this.opened && !this.button.hidden) this.button.focus();
    this.opened = false;
  }

  isFocused() {
    return document.activeElement === this.button;
  }

  /** After the map was drawn anew: stay with what is still there, else go to what is nearest to the way last taken. */
  follow(whole) {
    this.button.hidden = !this.map.hasLayer(this.layer);
    if (!this.isFocused()) return this.name(this.inView().length);
    if (!whole) return;
    const from = this.toward ?? this.middle();
    this.toward = null;
    this.choose(this.same() ?? nearest(this.inView(), from));
  }

  /** Return what the button was on last, where it is still drawn; its place in the view may be another. */
  same() {
    const { item } = this;
    return (
      item && this.inView().find(({ lat, lon, count }) => lat === item.lat && lon === item.lon && count === item.count)
    );
  }

  key(event) {
    const way = WAYS[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const from = this.item ?? this.middle();
    const found = nextIn(this.inView(), from, way);
    if (found) return this.choose(found);
    this.item = null;
    this.toward = { x: from.x, y: from.y }; // the map moves on below this point
    this.map.panBy([way[0] * STEP_PX, way[1] * STEP_PX]);
  }

  choose(item) {
    this.item = item;
    this.button.classList.remove("moving");
    this.button.classList.toggle("none", !item);
    if (item) {
      const side = 2 * item.radius + 10;
      Object.assign(this.button.style, {
        left: `${item.x - side / 2}px`,
        top: `${item.y - side / 2}px`,
        width: `${side}px`,
        height: `${side}px`,
      });
    }
    this.name(this.inView().length);
    this.said.textContent = this.isFocused() ? this.button.getAttribute("aria-label") : "";
  }

  name(places) {
    const { item } = this;
    const told = item && this.isFocused() ? say("cases_spot", { count: item.count, late: item.overdue }) : "";
    this.button.setAttribute("aria-label", told || say("cases_places", { places }));
  }
}
