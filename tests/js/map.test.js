// The pure parts of the maps' scripts.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { formatPlace, parsePlace, withState } from "../../static/js/map/address.js";
import { radius } from "../../static/js/map/cluster.js";
import { toGcj02 } from "../../static/js/map/gcj02.js";
import { SHAPES } from "../../static/js/map/signs.js";
import { TINTS, tints } from "../../static/js/map/tints.js";

test("a place in the address is read and written back", () => {
  const place = { zoom: 15, lat: 38.914, lon: 121.615 };
  assert.deepEqual(parsePlace(formatPlace(place)), place);
  for (const wrong of ["", "15", "15/91/0", "99/1/1", "a/b/c", "15/38.9/181", null])
    assert.equal(parsePlace(wrong), null);
});

test("changing one value of the address keeps the others and drops empty ones", () => {
  assert.equal(
    withState("?a=1&area=patch:P07", { at: "15/1.00000/2.00000" }),
    "?a=1&area=patch:P07&at=15/1.00000/2.00000",
  );
  assert.equal(withState("?a=1", { a: null }), "");
  assert.equal(withState("?a=1&b=2", { a: "" }), "?b=2");
});

test("circles grow with their number and have an end", () => {
  assert.ok(radius(2) < radius(20) && radius(20) < radius(200));
  assert.equal(radius(1e9), 28);
});

const square = (x, y) => ({
  geometry: {
    type: "Polygon",
    coordinates: [
      [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
        [x, y],
      ],
    ],
  },
});

test("neighbours never have the same tint", () => {
  const features = [];
  for (let x = 0; x < 12; x += 1) for (let y = 0; y < 9; y += 1) features.push(square(x, y));
  const chosen = tints(features);
  assert.equal(chosen.length, features.length);
  features.forEach((one, i) =>
    features.forEach((other, j) => {
      const [a, b] = [one, other].map((feature) => feature.geometry.coordinates[0][0]);
      if (i !== j && Math.abs(a[0] - b[0]) <= 1 && Math.abs(a[1] - b[1]) <= 1) assert.notEqual(chosen[i], chosen[j]);
    }),
  );
  assert.ok(chosen.every((tint) => tint >= 0 && tint < TINTS.length));
});

test("areas without a geometry and multipolygons have a tint as well", () => {
  const multi = { geometry: { type: "MultiPolygon", coordinates: [square(0, 0).geometry.coordinates] } };
  assert.equal(tints([{ geometry: null }, multi]).length, 2);
});

test("the shift to GCJ-02 is that of the published pair", () => {
  // Tiananmen: WGS 84 116.391, 39.907 lies some 560 m from its GCJ-02 position.
  const { lat, lon } = toGcj02(39.907, 116.391);
  const metres = Math.hypot((lat - 39.907) * 111_320, (lon - 116.391) * 111_320 * Math.cos((39.907 * Math.PI) / 180));
  assert.ok(Math.abs(lat - 39.9084) < 2e-4 && Math.abs(lon - 116.39724) < 2e-4, `${lat} ${lon}`);
  assert.ok(metres > 400 && metres < 700);
});

test("signs on maps and in lists have the same shapes", () => {
  const sprite = readFileSync(new URL("../../static/img/signs.svg", import.meta.url), "utf8");
  const symbols = [...sprite.matchAll(/<symbol id="(\w+)"[^>]*>(.*?)<\/symbol>/g)];
  assert.deepEqual(
    symbols.map(([, name]) => name),
    Object.keys(SHAPES),
  );
  for (const [, name, inner] of symbols) {
    const drawn = [...inner.matchAll(/<path fill="(\w+)"[^>]* d="([^"]+)"/g)].map(([, fill, d]) => [
      fill === "none" ? "line" : "fill",
      d,
    ]);
    assert.deepEqual(drawn, SHAPES[name], name);
  }
});
