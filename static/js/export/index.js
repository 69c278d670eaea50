// What a composed map calls in a stand-alone file; `mapsvc/maps/bundle.py` makes one script of it.

import { AreaLayer } from "../map/areas.js";
import { LabelLayer } from "../map/labels.js";
import { say } from "../words.js";
import { PointLayer } from "./points.js";

export { sheet } from "./sheet.js";

export function createMap(id, options) {
  const element = document.getElementById(id);
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", options.label);
  const map = L.map(element, {
    zoomControl: false,
    attributionControl: false,
    maxZoom: options.max_zoom,
    minZoom: 3,
    zoomSnap: options.zoom_snap ?? 1,
    renderer: L.canvas({ padding: 0.3 }),
  });
  L.control.zoom({ position: "topleft", zoomInTitle: say("zoom_in"), zoomOutTitle: say("zoom_out") }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
  map.fitBounds(options.bounds, { padding: [12, 12], maxZoom: 18 });
  map.mapsvc = { areas: [], labels: null, extra: null };
  new ResizeObserver(() => map.invalidateSize()).observe(element);
  element.map = map; // for programs that look at the file
  return map;
}

const noted = (layer, note) => {
  layer.once("add", () => note(layer._map.mapsvc, layer));
  return layer;
};

export const areas = (data) => noted(new AreaLayer(data), (map, layer) => map.areas.push(layer));
export const labels = (data) => noted(new LabelLayer(data), (map, layer) => (map.labels = layer));
export const points = (data) => noted(new PointLayer(data), (map, layer) => (map.extra = layer));
export const picture = ({ url, bounds }) =>
  noted(L.imageOverlay(url, bounds, { className: "heat-picture", zIndex: 5 }), (map, layer) => (map.extra = layer));
