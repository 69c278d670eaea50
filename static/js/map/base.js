// The ground: a tile service where one is set (moved, if it is in GCJ-02), and a metric net where there is none.

import { CanvasOverlay } from "./canvas.js";
import { toGcj02 } from "./gcj02.js";
import { readColours } from "./signs.js";

const moved = (center) => {
  const { lat, lon } = toGcj02(center.lat, center.lng);
  return L.latLng(lat, lon);
};

/** A GCJ-02 tile service under WGS 84 data: the tiles are looked up and placed by the moved centre. */
const MovedTiles = L.TileLayer.extend({
  onAdd(map) {
    L.TileLayer.prototype.onAdd.call(this, map);
    map.on("moveend", this._settle, this);
  },
  onRemove(map) {
    map.off("moveend", this._settle, this);
    L.TileLayer.prototype.onRemove.call(this, map);
  },
  _settle() {
    this._setZoomTransforms(this._map.getCenter(), this._map.getZoom());
  },
  _getTiledPixelBounds(center) {
    return L.TileLayer.prototype._getTiledPixelBounds.call(this, moved(center));
  },
  _setZoomTransform(level, center, zoom) {
    L.TileLayer.prototype._setZoomTransform.call(this, level, moved(center), zoom);
  },
});

export function base({ url, datum, max_native_zoom: maxNativeZoom = 18 }) {
  const options = { maxZoom: 20, maxNativeZoom, className: "base-tiles" };
  return datum === "gcj02" ? new MovedTiles(url, options) : L.tileLayer(url, options);
}

const STEPS_M = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];

/** A faint net of squares of a round length, so that an empty ground has a scale. */
export const NetLayer = CanvasOverlay.extend({
  options: { pane: "net" },
  onAdd(map) {
    if (!map.getPane("net")) map.createPane("net").classList.add("pane-net");
    CanvasOverlay.prototype.onAdd.call(this, map);
  },
  paint(context, map, view) {
    const middle = map.getCenter();
    const across = map.distance(
      map.containerPointToLatLng([0, map.getSize().y / 2]),
      map.containerPointToLatLng([100, map.getSize().y / 2]),
    );
    const step = STEPS_M.find((metres) => (metres / across) * 100 >= 60) ?? STEPS_M[STEPS_M.length - 1];
    const stepLat = step / 111_320;
    const stepLon = stepLat / Math.cos((Math.round(middle.lat) * Math.PI) / 180);
    const bounds = map.getBounds().pad(0.3);
    context.strokeStyle = readColours().faint;
    context.lineWidth = 1;
    context.beginPath();
    for (let lon = Math.floor(bounds.getWest() / stepLon) * stepLon; lon < bounds.getEast(); lon += stepLon) {
      const x = Math.round(map.latLngToContainerPoint([middle.lat, lon]).x) + 0.5;
      context.moveTo(x, -view.margin);
      context.lineTo(x, view.height);
    }
    for (let lat = Math.floor(bounds.getSouth() / stepLat) * stepLat; lat < bounds.getNorth(); lat += stepLat) {
      const y = Math.round(map.latLngToContainerPoint([lat, middle.lng]).y) + 0.5;
      context.moveTo(-view.margin, y);
      context.lineTo(view.width, y);
    }
    context.stroke();
  },
});
