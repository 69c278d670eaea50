// The map of one case: its sign, the circle of its accuracy, the areas that may answer for it.

import { CanvasOverlay } from "./canvas.js";
import { LevelSwitch } from "./levels.js";
import { drawSign, readColours } from "./signs.js";

const SpotLayer = CanvasOverlay.extend({
  options: { pane: "spot" },
  onAdd(map) {
    if (!map.getPane("spot")) map.createPane("spot").classList.add("pane-cases");
    CanvasOverlay.prototype.onAdd.call(this, map);
  },
  paint(context, map) {
    const { lat, lon, state, overdue, edge, accuracy_m: accuracy } = this.options;
    const at = map.latLngToContainerPoint([lat, lon]);
    const colours = readColours();
    if (accuracy) {
      const north = map.latLngToContainerPoint([lat + accuracy / 111_320, lon]);
      context.beginPath();
      context.arc(at.x, at.y, Math.max(1, at.y - north.y), 0, 2 * Math.PI);
      context.fillStyle = colours.accent;
      context.globalAlpha = 0.12;
      context.fill();
      context.globalAlpha = 0.8;
      context.strokeStyle = colours.accent;
      context.lineWidth = 1.25;
      context.setLineDash([4, 3]);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
    }
    drawSign(context, state, at.x, at.y, 32, colours, { overdue, edge });
  },
});

export function spot(map, data) {
  if (data.lat !== null) new SpotLayer(data).addTo(map);
  const levels = new LevelSwitch(map, { chosen: data.level });
  levels.update();
  if (data.code && levels.layer) {
    levels.layer.select(data.code);
    levels.layer.whenLoaded().then(() => levels.relabel());
  }
}
