// Open cases on a canvas: one alone as the sign of its state, several close together as a circle with their number.

import { CanvasOverlay } from "./canvas.js";
import { CaseTiles } from "./casetiles.js";
import { radius } from "./cluster.js";
import { drawSign, readColours } from "./signs.js";

const SIGN = 26;
const FINGER = 22;
const STALE_PX = 64;

export const CaseLayer = CanvasOverlay.extend({
  // `url` with {z}, {x}, {y} names tiles that the server has grouped.
  options: { pane: "cases", url: "" },

  onAdd(map) {
    if (!map.getPane("cases")) map.createPane("cases").classList.add("pane-cases");
    if (!this._source) {
      this._source = new CaseTiles(this.options.url);
      this._source.onChange = (error) => {
        if (error) this.fire("failed", { error });
        this.repaint();
      };
    }
    map.on("move", this._onMove, this);
    CanvasOverlay.prototype.onAdd.call(this, map);
  },

  onRemove(map) {
    map.off("move", this._onMove, this);
    this._source.stop();
    this._drawn = [];
    this._shown = null;
    CanvasOverlay.prototype.onRemove.call(this, map);
    this.fire("drawn", { whole: true });
  },

  /** Ask again for what is in view. */
  refresh() {
    this._source?.expire();
    this.repaint();
  },

  /** While the map is dragged far, draw what comes into view; a zoom in progress is left to its end. */
  _onMove() {
    if (this._map._animatingZoom || !this._shown) return;
    const { x, y } = this._map.getPixelBounds().min;
    const { origin, zoom } = this._shown;
    const far = Math.max(Math.abs(x - origin.x), Math.abs(y - origin.y)) > STALE_PX;
    if (far && this._map.getZoom() === zoom) this.repaint();
  },

  paint(context, map, view) {
    const colours = readColours();
    const origin = map.getPixelBounds().min;
    this._shown = { origin, zoom: map.getZoom() };
    const { items, whole } = this._source.items(map, view.margin);
    this._drawn = [];
    for (const item of items) {
      const at = map.project([item.lat, item.lon], map.getZoom());
      const [x, y] = [at.x - origin.x, at.y - origin.y];
      if (x < -view.margin || y < -view.margin || x > view.width || y > view.height) continue;
      this._drawn.push({ ...item, x, y, radius: item.count === 1 ? SIGN / 2 : radius(item.count) });
    }
    for (const item of this._drawn) {
      if (item.count > 1) drawCount(context, item, colours);
      else drawSign(context, item.state, item.x, item.y, SIGN, colours, { overdue: item.overdue > 0, edge: item.edge });
    }
    this.fire("drawn", { whole });
  },

  /** Return what is drawn now: {x, y, lat, lon, count, overdue}; of several the box and whether they are a pile. */
  drawn() {
    return this._drawn ?? [];
  },

  /** Return what is drawn at a point of the view, nearest first, or null; targets are at least 44 px. */
  pick(containerPoint) {
    let best = null;
    for (const item of this.drawn()) {
      const distance = Math.hypot(item.x - containerPoint.x, item.y - containerPoint.y);
      if (distance <= Math.max(FINGER, item.radius) && (!best || distance < best.distance))
        best = { ...item, distance };
    }
    return best;
  },

  /** Zoom to what was picked, where that takes it apart; whether it did. */
  zoomTo(item) {
    const map = this._map;
    if (item.count === 1 || item.pile || map.getZoom() >= map.getMaxZoom()) return false;
    const [west, south, east, north] = item.box;
    const bounds = L.latLngBounds([south, west], [north, east]).pad(0.2);
    const zoom = Math.min(map.getMaxZoom(), Math.max(map.getBoundsZoom(bounds), Math.floor(map.getZoom()) + 1));
    map.setView(bounds.getCenter(), zoom);
    return true;
  },
});

/** Return the size of a number's letters, so that it stays within its circle; the number itself is never shortened. */
export function countPx(count) {
  return 13 - Math.max(0, String(count).length - 4);
}

function drawCount(context, item, colours) {
  const { x, y, radius: r, count, overdue } = item;
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fillStyle = colours.paper;
  context.fill();
  context.lineWidth = 3;
  context.strokeStyle = colours.accent;
  context.stroke();
  if (overdue > 0) {
    context.beginPath();
    context.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + (overdue / count) * 2 * Math.PI);
    context.strokeStyle = colours.danger;
    context.stroke();
  }
  context.fillStyle = colours.ink;
  context.font = `600 ${countPx(count)}px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(count), x, y + 0.5);
}
