// The ground: a tile service where one is set (moved, if it is in GCJ-02), and a metric net where there is none.

import { say } from "../words.js";
import { CanvasOverlay } from "./canvas.js";
import { toGcj02 } from "./gcj02.js";
import { readColours } from "./signs.js";
import { toast } from "./toast.js";

const moved = (center) => {
  const { lat, lon } = toGcj02(center.lat, center.lng);
  return L.latLng(lat, lon);
};

/** Let a grid layer lie in GCJ-02 under WGS 84 data: its tiles are looked up and placed by the moved centre. */
function move(layer) {
  const own = Object.getPrototypeOf(layer);
  const settle = () => layer._setZoomTransforms(layer._map.getCenter(), layer._map.getZoom());
  layer.onAdd = (map) => {
    own.onAdd.call(layer, map);
    map.on("moveend", settle);
  };
  layer.onRemove = (map) => {
    map.off("moveend", settle);
    own.onRemove.call(layer, map);
  };
  layer._getTiledPixelBounds = (center) => own._getTiledPixelBounds.call(layer, moved(center));
  layer._setZoomTransform = (level, center, zoom) => own._setZoomTransform.call(layer, level, moved(center), zoom);
  return layer;
}

export function base({ url, datum, kind = "tiles", subdomains = "abc", max_native_zoom: maxNativeZoom = 18 }) {
  const options = { maxZoom: 22, maxNativeZoom, className: "base-tiles", subdomains };
  const layer = kind === "pmtiles" ? archive(url, options) : L.tileLayer(url, options);
  return datum === "gcj02" ? move(layer) : layer;
}

/** Raster tiles of one PMTiles archive, read in pieces; its last zoom is what it says itself. */
function archive(url, options) {
  const source = new pmtiles.PMTiles(url);
  const layer = pmtiles.leafletRasterLayer(source, options);
  source.getHeader().then(
    (header) => {
      layer.options.maxNativeZoom = header.maxZoom;
      layer.options.minNativeZoom = header.minZoom;
      if (header.tileType === 1 && layer._map) toast(layer._map, say("base_vector"));
      else if (layer._map) layer.redraw();
    },
    () => layer._map && toast(layer._map, say("base_failed")),
  );
  return layer;
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
