// Open cases as signs on a canvas; grouped where they would cover each other.

import { CanvasOverlay } from "./canvas.js";
import { cluster, radius } from "./cluster.js";
import { load } from "./load.js";
import { drawSign, readColours } from "./signs.js";

const CELL = 64;
const SIGN = 26;
const SINGLE_FROM_ZOOM = 18;

export const CaseLayer = CanvasOverlay.extend({
  options: { pane: "cases", url: "" },

  onAdd(map) {
    if (!map.getPane("cases")) map.createPane("cases").classList.add("pane-cases");
    CanvasOverlay.prototype.onAdd.call(this, map);
    if (!this._points) this.refresh();
  },

  refresh() {
    return load(this.options.url).then(
      (answer) => {
        this._points = answer.cases;
        this.fire("loaded", { count: this._points.length });
        this.repaint();
      },
      () => this.fire("failed"),
    );
  },

  paint(context, map, view) {
    const colours = readColours();
    const zoom = map.getZoom();
    const origin = map.getPixelBounds().min;
    const near = (this._points ?? [])
      .map((point) => ({ ...map.project([point.lat, point.lon], zoom), point }))
      .filter((p) => this._isNear(p, origin, view));
    const groups = zoom >= SINGLE_FROM_ZOOM ? near.map((p) => ({ x: p.x, y: p.y, points: [p] })) : cluster(near, CELL);
    this._drawn = groups.map((group) => ({
      x: group.x - origin.x,
      y: group.y - origin.y,
      radius: group.points.length === 1 ? SIGN / 2 : radius(group.points.length),
      cases: group.points.map((p) => p.point),
    }));
    for (const item of this._drawn) {
      if (item.cases.length === 1) {
        const [single] = item.cases;
        drawSign(context, single.state, item.x, item.y, SIGN, colours, single);
      } else drawCount(context, item, colours);
    }
  },

  _isNear(p, origin, view) {
    const [x, y] = [p.x - origin.x, p.y - origin.y];
    return x > -view.margin && y > -view.margin && x < view.width && y < view.height;
  },

  /** Return what is drawn at a point of the view, nearest first, or null; targets are at least 44 px. */
  pick(containerPoint) {
    let best = null;
    for (const item of this._drawn ?? []) {
      const distance = Math.hypot(item.x - containerPoint.x, item.y - containerPoint.y);
      if (distance <= Math.max(22, item.radius) && (!best || distance < best.distance)) best = { ...item, distance };
    }
    return best;
  },
});

function drawCount(context, item, colours) {
  const { x, y, radius: r } = item;
  const late = item.cases.filter((c) => c.overdue).length / item.cases.length;
  context.beginPath();
  context.arc(x, y, r, 0, 2 * Math.PI);
  context.fillStyle = colours.paper;
  context.fill();
  context.lineWidth = 3;
  context.strokeStyle = colours.accent;
  context.stroke();
  if (late > 0) {
    context.beginPath();
    context.arc(x, y, r, -Math.PI / 2, -Math.PI / 2 + late * 2 * Math.PI);
    context.strokeStyle = colours.danger;
    context.stroke();
  }
  context.fillStyle = colours.ink;
  context.font = `600 13px ${colours.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(item.cases.length), x, y + 0.5);
}
