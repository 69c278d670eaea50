// Areas of a stand-alone map from the whole numbers in which `mapsvc/geo/sketch.py` writes them. Pure.

const UNITS = 1e6;

/** Return the rings of one polygon in degrees, closed; equal numbers give equal vertices. */
export function decodeRing(numbers) {
  const ring = [];
  let [x, y] = [0, 0];
  for (let at = 0; at < numbers.length; at += 2) {
    x += numbers[at];
    y += numbers[at + 1];
    ring.push([x / UNITS, y / UNITS]);
  }
  ring.push(ring[0]);
  return ring;
}

/** Return GeoJSON of areas: {areas: [{code, name, label, rings, ...}]}. */
export function decodeAreas({ areas }) {
  const features = areas.map(({ rings, ...properties }) => ({
    type: "Feature",
    geometry: { type: "MultiPolygon", coordinates: rings.map((part) => part.map(decodeRing)) },
    properties,
  }));
  return { type: "FeatureCollection", features };
}

function inRing([x, y], ring) {
  let inside = false;
  for (let at = 0, before = ring.length - 1; at < ring.length; before = at++) {
    const [[ax, ay], [bx, by]] = [ring[at], ring[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** Return the feature in which a place (degrees) lies, or undefined. */
export function findAt(features, place) {
  return features.find(({ geometry }) =>
    geometry.coordinates.some(
      (rings) => inRing(place, rings[0]) && !rings.slice(1).some((hole) => inRing(place, hole)),
    ),
  );
}
