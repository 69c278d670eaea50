// Names of areas with a halo, at their label points, never over one another.

import { CanvasOverlay } from "./canvas.js";
import { readColours } from "./signs.js";

/** Keep the labels, in order, that touch none kept before. Each has left, top, right, bottom. */
export function withoutCollisions(boxes) {
  const kept = [];
  for (const box of boxes) {
    const free = kept.every(
      (other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom,
    );
    if (free) kept.push(box);
  }
  return kept;
}

export const LabelLayer = CanvasOverlay.extend({
  options: { pane: "labels" },

  onAdd(map) {
    if (!map.getPane("labels")) map.createPane("labels").classList.add("pane-labels");
    CanvasOverlay.prototype.onAdd.call(this, map);
  },

  /** Show these labels: {lon, lat, name, second, strong}; the first ones win where there is no room. */
  show(labels) {
    this._labels = labels;
    this.repaint();
  },

  /** Ask this layer as well: `labels(context, font)` returns what is written on the ground, in pixels of the view. */
  follow(ground) {
    this._ground = ground;
    ground.on("labels", this.repaint, this);
  },

  paint(context, map, view) {
    const colours = readColours();
    const boxes = [];
    for (const label of this._labels ?? []) {
      const at = map.latLngToContainerPoint([label.lat, label.lon]);
      if (at.x < -view.margin || at.y < -view.margin || at.x > view.width || at.y > view.height) continue;
      context.font = fontOf(colours, label, 14);
      const first = context.measureText(label.name).width;
      context.font = fontOf(colours, {}, 12);
      const second = label.second ? context.measureText(label.second).width : 0;
      const half = Math.max(first, second) / 2 + 4;
      const height = label.second ? 36 : 20;
      boxes.push({
        label,
        x: at.x,
        y: at.y,
        left: at.x - half,
        right: at.x + half,
        top: at.y - height / 2,
        bottom: at.y + height / 2,
      });
    }
    for (const label of this._ground?.labels(context, colours.font) ?? []) boxes.push({ label, ...boxOf(label) });
    const kept = withoutCollisions(boxes);
    // Names of areas last, so that they stand over the names on the ground.
    for (const box of kept) if (box.label.ink) drawOnGround(context, box.label, colours);
    for (const box of kept) if (!box.label.ink) drawLabel(context, box, colours);
  },
});

/** Return the box round a label of the ground. */
export function boxOf({ letters, x, y, px, width, second }) {
  if (!letters) {
    const [half, rise] = [width / 2 + 3, second ? px + 2 : px / 2 + 2];
    return { left: x - half, right: x + half, top: y - rise, bottom: y + rise };
  }
  const [xs, ys] = [letters.map((letter) => letter.x), letters.map((letter) => letter.y)];
  const reach = px / 2 + 3;
  return {
    left: Math.min(...xs) - reach,
    right: Math.max(...xs) + reach,
    top: Math.min(...ys) - reach,
    bottom: Math.max(...ys) + reach,
  };
}

function drawOnGround(context, label, colours) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = colours.halo;
  context.fillStyle = colours[label.ink] ?? colours.onGround;
  context.font = `${label.ink === "building" ? 400 : 500} ${label.px}px ${colours.font}`;
  const texts = label.letters ?? [{ letter: label.name, x: label.x, y: label.y - (label.second ? 6 : 0), angle: 0 }];
  if (label.second) texts.push({ letter: label.second, x: label.x, y: label.y + 7, angle: 0 });
  for (const how of ["strokeText", "fillText"]) {
    for (const { letter, x, y, angle } of texts) {
      context.save();
      context.translate(x, y);
      context.rotate(angle);
      context[how](letter, 0, 0);
      context.restore();
    }
  }
}

function fontOf(colours, label, size) {
  return `${label.strong ? 650 : 500} ${size}px ${colours.font}`;
}

function drawLabel(context, { label, x, y }, colours) {
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = colours.halo;
  context.fillStyle = colours.mapInk;
  context.lineWidth = 4;
  const rise = label.second ? 8 : 0;
  context.font = fontOf(colours, label, 14);
  context.strokeText(label.name, x, y - rise);
  context.fillText(label.name, x, y - rise);
  if (!label.second) return;
  context.font = fontOf(colours, {}, 12);
  context.strokeText(label.second, x, y + 9);
  context.fillText(label.second, x, y + 9);
}
