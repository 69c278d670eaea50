// Which level stands in front, and its labels; shades of the map; sizes of photos; words.

import assert from "node:assert/strict";
import { test } from "node:test";

// The map library is a global of the page; the modules under test extend its classes when they are loaded.
globalThis.L = { Layer: { extend: (members) => ({ ...members, extend: globalThis.L.Layer.extend }) } };

const { leadingLevel, labelsOf } = await import("../../static/js/map/levels.js");
const { withoutCollisions } = await import("../../static/js/map/labels.js");
const { shadeOf } = await import("../../static/js/map/city.js");
const { fitted } = await import("../../static/js/shrink.js");
const { fill } = await import("../../static/js/words.js");

const LAYERS = [
  { level: "district", leads_from: 0 },
  { level: "street", leads_from: 12 },
  { level: "patch", leads_from: 14 },
  { level: "grid", leads_from: 16 },
];

test("the level in front follows the zoom", () => {
  const at = (zoom) => leadingLevel(LAYERS, zoom, null);
  assert.deepEqual([3, 12, 13, 14, 15, 16, 20].map(at), [
    "district",
    "street",
    "street",
    "patch",
    "patch",
    "grid",
    "grid",
  ]);
});

test("a level chosen by the reader wins, an unknown one does not", () => {
  assert.equal(leadingLevel(LAYERS, 3, "grid"), "grid");
  assert.equal(leadingLevel(LAYERS, 3, "village"), "district");
  assert.equal(leadingLevel([], 10, null), null);
  assert.equal(leadingLevel([{ level: "street", leads_from: 12 }], 5, null), "street");
});

const feature = (code, chief) => ({ properties: { code, name: code, label: [1, 2], chief: chief && { name: chief } } });

test("labels name chiefs only where asked, the chosen area first", () => {
  const features = [feature("A", "Zhang"), feature("B", null), { properties: { code: "C" } }];
  assert.deepEqual(
    labelsOf(features, { chiefs: true, strong: "B" }).map(({ name, second }) => [name, second]),
    [
      ["B", ""],
      ["A", "Zhang"],
    ],
  );
  assert.ok(labelsOf(features).every(({ second }) => second === ""));
});

test("labels never lie over one another, the first one wins", () => {
  const box = (left, top) => ({ left, top, right: left + 10, bottom: top + 5 });
  const kept = withoutCollisions([box(0, 0), box(5, 2), box(20, 0), box(0, 6)]);
  assert.deepEqual(kept, [box(0, 0), box(20, 0), box(0, 6)]);
});

test("every number has a shade", () => {
  const shades = [
    { upto: 0, colour: "a" },
    { upto: 2, colour: "b" },
    { upto: null, colour: "c" },
  ];
  assert.deepEqual(
    [0, 1, 2, 3, 1000].map((n) => shadeOf(n, shades)),
    ["a", "b", "b", "c", "c"],
  );
});

test("photos fit into the square and are never made larger", () => {
  assert.deepEqual(fitted(8000, 6000, 2560), { width: 2560, height: 1920 });
  assert.deepEqual(fitted(100, 50, 2560), { width: 100, height: 50 });
  assert.deepEqual(fitted(1, 90000, 2560), { width: 1, height: 2560 });
});

test("words are filled in by name, unknown names stay visible", () => {
  assert.equal(fill("±{metres} m", { metres: 12 }), "±12 m");
  assert.equal(fill("{a} {b}", { a: 0 }), "0 {b}");
});
