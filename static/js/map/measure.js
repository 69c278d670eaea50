// Measuring on the map: tap points, read the length and, from three on, the area; Backspace takes one back, Escape ends.

import { say } from "../words.js";
import { CanvasOverlay } from "./canvas.js";
import { areaOf, lengthOf } from "./geodesic.js";
import { readColours } from "./signs.js";

/** Return a length in words: whole metres up to 10 km. */
export function formatLength(metres) {
  if (metres < 10_000) return say("metres", { count: metres < 10 ? metres.toFixed(1) : Math.round(metres) });
  return say("kilometres", { count: (metres / 1000).toFixed(2) });
}

/** Return an area in words: square metres, hectares, square kilometres. */
export function formatArea(m2) {
  if (m2 < 10_000) return say("square_metres", { count: Math.round(m2) });
  if (m2 < 1_000_000) return say("hectares", { count: (m2 / 10_000).toFixed(2) });
  return say("square_kilometres", { count: (m2 / 1_000_000).toFixed(3) });
}

const Drawing = CanvasOverlay.extend({
  options: { pane: "measure", className: "measure" },
  onAdd(map) {
    if (!map.getPane("measure")) map.createPane("measure").classList.add("pane-measure");
    CanvasOverlay.prototype.onAdd.call(this, map);
  },
  paint(context, map) {
    const colours = readColours();
    const points = this.options.points.map((point) => map.latLngToContainerPoint(point));
    if (!points.length) return;
    context.lineJoin = "round";
    context.beginPath();
    for (const { x, y } of points) context.lineTo(x, y);
    if (points.length > 2) {
      context.globalAlpha = 0.14;
      context.fillStyle = colours.accent;
      context.fill();
      context.globalAlpha = 1;
    }
    for (const [width, colour] of [
      [6, colours.paper],
      [3, colours.accent],
    ]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
    for (const { x, y } of points) {
      context.beginPath();
      context.arc(x, y, 5, 0, 2 * Math.PI);
      context.fillStyle = colours.paper;
      context.fill();
      context.lineWidth = 2.5;
      context.stroke();
    }
  },
});

export class Measure {
  /** `box` holds the result and the buttons [data-undo], [data-end]; `button` begins and ends. */
  constructor(map, box, button) {
    Object.assign(this, { map, box, button, points: [] });
    this.active = false;
    this.drawing = new Drawing({ points: this.points });
    button.addEventListener("click", () => this.toggle());
    box.querySelector("[data-undo]").addEventListener("click", () => this.undo());
    box.querySelector("[data-end]").addEventListener("click", () => this.toggle(false));
    map.getContainer().addEventListener("keydown", (event) => {
      if (this.active && event.key === "Backspace") this.undo();
    });
    document.addEventListener("keydown", (event) => {
      if (this.active && event.key === "Escape") this.toggle(false);
    });
  }

  toggle(active = !this.active) {
    this.active = active;
    this.points.length = 0;
    this.button.setAttribute("aria-pressed", String(active));
    this.box.hidden = !active;
    this.map.getContainer().classList.toggle("measuring", active);
    if (active) this.drawing.addTo(this.map);
    else this.drawing.remove();
    this.show();
  }

  add(latlng) {
    this.points.push(latlng);
    this.show();
  }

  undo() {
    this.points.pop();
    this.show();
  }

  show() {
    const said =
      this.points.length < 2
        ? [say("measure_start")]
        : [say("measure_length", { text: formatLength(lengthOf(this.points)) })];
    if (this.points.length > 2) said.push(say("measure_area", { text: formatArea(areaOf(this.points)) }));
    this.box.querySelector("[data-said]").textContent = said.join(" · ");
    this.drawing.repaint();
  }
}
