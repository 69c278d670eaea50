// Lengths and areas against GeographicLib (pyproj.Geod on WGS 84), and what the measuring box says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { areaOf, distance, lengthOf } from "../../static/js/map/geodesic.js";

const at = (lng, lat) => ({ lng, lat });

test("distances are those of the ellipsoid", () => {
  const cases = [
    [121.6, 38.9, 121.61, 38.9, 867.4821],
    [121.6, 38.9, 121.6, 38.91, 1110.1367],
    [103.8, 30.1, 104.2, 30.7, 76823.3529],
    [87.6, 43.8, 126.6, 45.8, 3062964.9175],
  ];
  for (const [lon0, lat0, lon1, lat1, metres] of cases) {
    assert.ok(Math.abs(distance(at(lon0, lat0), at(lon1, lat1)) - metres) < 1e-3, `${metres}`);
  }
  assert.equal(distance(at(121, 38), at(121, 38)), 0);
  assert.equal(lengthOf([at(121, 38)]), 0);
});

test("areas are those of the ellipsoid, either way round", () => {
  const cases = [
    [
      [
        [121.6, 38.9],
        [121.61, 38.9],
        [121.61, 38.91],
        [121.6, 38.91],
      ],
      962956.1,
    ],
    [
      [
        [104.0, 30.0],
        [104.3, 30.1],
        [104.2, 30.4],
        [103.9, 30.35],
        [104.05, 30.2],
      ],
      920613420.0,
    ],
  ];
  for (const [ring, m2] of cases) {
    const points = ring.map(([lon, lat]) => at(lon, lat));
    for (const way of [points, [...points].reverse()]) assert.ok(Math.abs(areaOf(way) / m2 - 1) < 1e-4, `${m2}`);
  }
  assert.equal(areaOf([at(121, 38), at(122, 38)]), 0);
});
