// One's own position: a button, a dot and the circle of its accuracy; a refusal is told kindly.

import { say } from "../words.js";
import { toast } from "./toast.js";

export function addLocate(map) {
  if (!L.control.locate || !("geolocation" in navigator)) return;
  map.createPane("locate").classList.add("pane-locate");
  const renderer = L.canvas({ pane: "locate" });
  const ink = getComputedStyle(document.documentElement);
  const accent = ink.getPropertyValue("--accent").trim();
  const paper = ink.getPropertyValue("--paper").trim();
  L.control
    .locate({
      position: "topleft",
      setView: "once",
      initialZoomLevel: 17,
      showCompass: false,
      showPopup: false,
      markerClass: L.CircleMarker, // the shipped one writes styles into the page
      circleStyle: { renderer, color: accent, fillColor: accent, fillOpacity: 0.12, weight: 1, interactive: false },
      markerStyle: {
        renderer,
        color: paper,
        fillColor: accent,
        fillOpacity: 1,
        weight: 3,
        radius: 8,
        interactive: false,
      },
      strings: { title: say("locate") },
      locateOptions: { enableHighAccuracy: true, timeout: 15000 },
      onLocationError: ({ code }) => toast(map, say(code === 1 ? "locate_denied" : "locate_failed")),
      onLocationOutsideMapBounds: () => toast(map, say("locate_outside")),
    })
    .addTo(map);
  map.on("locationfound", ({ accuracy }) => {
    toast(map, say(accuracy > 200 ? "located_coarse" : "located", { metres: Math.round(accuracy) }));
  });
}
