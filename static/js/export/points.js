// Cases of a stand-alone map: how many at a place, grouped where circles would cover each other.

import { CanvasOverlay } from "../map/canvas.js";
import { readColours } from "../map/signs.js";
import { load } from "./load.js";

const CELL = 56;

/** Group places {x, y, count, overdue} by square cells of the screen's plane. Pure. */
export function group(places, cell) {
  const cells = new Map();
  for (const place of places) {
    const key = `${Math.floor(place.x / cell)}:${Math.floor(place.y / cell)}`;
    const found = cells.get(key) ?? { x: 0, y: 0, count: 0, overdue: 0 };
    found.x += place.x * place.count;
    found.y += place.y * place.count;
    found.count += place.count;
    found.overdue += place.overdue;
    cells.set(key, found);
  }
  return [...cells.values()].map((one) => ({ ...one, x: one.x / one.count, y: one.y / one.count }));
}

export const PointLayer = CanvasOverlay.extend({
  options: { pane: "cases", url: "" },

  onAdd(map) {
    if (!map.getPane("cases")) map.createPane("cases").classList.add("pane-cases");
    CanvasOverlay.prototype.onAdd.call(this, map);
    load(this.options.url).then(({ points }) => {
      this._points = points;
      this.repaint();
    });
  },

  paint(context, map) {
    const colours = readColours();
    const zoom = map.getZoom();
    const shift = map.getPixelBounds().min;
    const places = (this._points ?? []).map(([lon, lat, count, overdue]) => {
      const { x, y } = map.project([lat, lon], zoom);
      return { x, y, count, overdue };
    });
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { x, y, count, overdue } of group(places, CELL)) {
      const [left, top] = [x - shift.x, y - shift.y];
      const radius = Math.min(26, 11 + 1.6 * Math.log2(count));
      context.beginPath();
      context.arc(left, top, radius, 0, 2 * Math.PI);
      context.fillStyle = colours.paper;
      context.fill();
      context.lineWidth = overdue ? 3 : 2;
      context.strokeStyle = overdue ? colours.danger : colours.accent;
      context.stroke();
      context.fillStyle = colours.ink;
      context.font = `600 12px ${colours.font}`;
      context.fillText(String(count), left, top);
    }
  },
});
