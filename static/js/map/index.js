// What composed maps call: one function per kind of layer and per behaviour of a page.

import { say } from "../words.js";
import { parsePlace } from "./address.js";
import { AreaLayer } from "./areas.js";
import { AreaTileLayer } from "./areatiles.js";
import { base, NetLayer } from "./base.js";
import { CaseLayer } from "./cases.js";
import { GroundLayer } from "./ground.js";
import { LabelLayer } from "./labels.js";

export { base };
export { city } from "./city.js";
export { area } from "./area.js";
export { spot } from "./spot.js";
export { pin } from "./pin.js";

/** Make the map; the place in the address wins over the view that the page was made with. */
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
  const place = parsePlace(new URLSearchParams(location.search).get("at"));
  if (place) map.setView([place.lat, place.lon], place.zoom);
  else if (options.bounds) map.fitBounds(options.bounds, { padding: [12, 12], maxZoom: options.fit_zoom ?? 18 });
  else map.setView(options.center, options.zoom);
  map.mapsvc = { areas: [], labels: null, cases: null, ground: null };
  map.on("layeradd", ({ layer }) => {
    if (layer instanceof AreaLayer && !map.mapsvc.areas.includes(layer)) map.mapsvc.areas.push(layer);
    if (layer instanceof LabelLayer) map.mapsvc.labels = layer;
    if (map.mapsvc.labels && map.mapsvc.ground) map.mapsvc.labels.follow(map.mapsvc.ground);
    if (layer instanceof GroundLayer) map.mapsvc.ground = layer;
    if (layer instanceof CaseLayer) map.mapsvc.cases = layer;
  });
  new ResizeObserver(() => map.invalidateSize()).observe(element);
  element.map = map; // for programs that look at the page
  element.dataset.ready = "";
  return map;
}

/** Figures have scripts of their own; no other map waits for them. */
export const insight = (map, data) => import("../insight/map.js").then((page) => page.insight(map, data));
export const ground = (data) => new GroundLayer(data);
export const areas = (data) => new AreaLayer(data);
export const areaTiles = (data) => new AreaTileLayer(data);
export const labels = (data) => new LabelLayer(data);
export const cases = (data) => new CaseLayer(data);
export const net = () => new NetLayer();
