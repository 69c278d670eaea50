// The pure parts of the ground: which tile serves which, how features are grouped, where names stand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { alongLine, lengths, pointAt } from "../../static/js/map/along.js";
import { groundLabels, inView, isInside, middleOf, thinOut } from "../../static/js/map/groundlabels.js";
import { groups, paintGround, widthAt } from "../../static/js/map/groundpaint.js";
import { decode, parentOf, TileStore, undelta } from "../../static/js/map/tiles.js";

const STYLE = { color: "#000", casing: "#888", fill: "", weight: 8, opacity: 1, fill_opacity: 0, dash: "", radius: 4 };
const ROADS = {
  code: "roads",
  zooms: [10, 22],
  style: STYLE,
  label: { field: "name", from_zoom: 14 },
  kinds: [
    { values: ["lane"], from_zoom: 16, style: { ...STYLE, weight: 2 } },
    { values: ["main"], from_zoom: 0, style: { ...STYLE, weight: 12 } },
  ],
};

/** A canvas context that measures each letter as 12 px and writes down what is called. */
function recorder() {
  const calls = [];
  const context = { calls, measureText: (text) => ({ width: 12 * [...text].length }) };
  for (const name of [
    "setTransform",
    "setLineDash",
    "beginPath",
    "moveTo",
    "lineTo",
    "closePath",
    "fill",
    "stroke",
    "arc",
  ])
    context[name] = (...values) => calls.push([name, ...values]);
  return context;
}

test("a drawn tile is served by the tile of half its zoom step, beyond the last zoom by a part of it", () => {
  assert.deepEqual(parentOf({ z: 13, x: 5, y: 7 }, 15), { z: 12, x: 5, y: 7, scale: 512 / 4096, left: 0, top: 0 });
  const deep = parentOf({ z: 18, x: 4 * 9 + 3, y: 4 * 2 + 1 }, 15);
  assert.deepEqual(deep, { z: 15, x: 9, y: 2, scale: (512 * 4) / 4096, left: -3 * 512, top: -512 });
});

test("steps become coordinates", () => {
  assert.deepEqual(undelta([10, 20, 5, -5, 0, 1]), [10, 20, 15, 15, 15, 16]);
  const tile = { layers: [{ code: "roads", kinds: ["", "main"], features: [[2, 1, "解放路", null, [[1, 1, 2, 0]]]] }] };
  assert.deepEqual(decode(tile).get("roads"), [
    { shape: 2, kind: "main", name: "解放路", households: null, lines: [[1, 1, 3, 1]] },
  ]);
});

test("tiles are fetched once, the latest are kept, a failure is tried again", async () => {
  const asked = [];
  let fails = true;
  const fetch = async (url) => {
    asked.push(url);
    if (url.endsWith("9") && fails) throw new Error("gone");
    return { layers: [] };
  };
  const store = new TileStore("/{z}/{x}/{y}", { most: 2, fetch });
  await store.get({ z: 1, x: 0, y: 0 });
  await store.get({ z: 1, x: 0, y: 0 });
  assert.deepEqual(asked, ["/1/0/0"]);
  assert.ok(store.peek({ z: 1, x: 0, y: 0 }));
  await assert.rejects(store.get({ z: 1, x: 0, y: 9 }));
  fails = false;
  await store.get({ z: 1, x: 0, y: 9 });
  await store.get({ z: 1, x: 1, y: 1 });
  assert.equal(store.peek({ z: 1, x: 0, y: 0 }), null);
});

test("kinds come in the order of the layer, without those of a later zoom", () => {
  const features = ["main", "lane", "other"].map((kind) => ({ kind }));
  assert.deepEqual(
    groups(ROADS, features, 16).map(({ rank }) => rank),
    [-1, 0, 1],
  );
  assert.deepEqual(
    groups(ROADS, features, 15).map(({ rank }) => rank),
    [-1, 1],
  );
});

test("lines grow with the zoom and never vanish", () => {
  assert.equal(widthAt(8, 16), 8);
  assert.ok(widthAt(8, 17) > 8 && widthAt(8, 10) >= 0.6);
});

test("all casings of a layer are drawn before its lines, so that crossings are open", () => {
  const tile = new Map([["roads", ["lane", "main"].map((kind) => ({ shape: 2, kind, lines: [[0, 0, 9, 9]] }))]]);
  const context = recorder();
  const widths = [];
  context.stroke = () => widths.push(Math.round(context.lineWidth));
  paintGround(context, [ROADS], tile, { ratio: 1, left: 0, top: 0, scale: 1 }, 17, (name) => name);
  assert.deepEqual(widths, [
    Math.round(widthAt(2, 17)) + 2,
    Math.round(widthAt(12, 17)) + 2,
    3,
    Math.round(widthAt(12, 17)),
  ]);
});

test("a layer out of its zooms is not drawn", () => {
  const context = recorder();
  const tile = new Map([["roads", [{ shape: 2, kind: "main", lines: [[0, 0, 9, 9]] }]]]);
  paintGround(context, [ROADS], tile, { ratio: 1, left: 0, top: 0, scale: 1 }, 9, (name) => name);
  assert.equal(context.calls.filter(([name]) => name === "stroke").length, 0);
});

test("lengths and points along a line", () => {
  const line = [0, 0, 30, 0, 30, 40];
  assert.deepEqual(lengths(line), [0, 30, 70]);
  assert.deepEqual(pointAt(line, lengths(line), 50), { x: 30, y: 20, angle: Math.PI / 2 });
});

test("a name stands in the middle of its street and reads from the left", () => {
  for (const line of [
    [0, 0, 200, 0],
    [200, 0, 0, 0],
  ]) {
    const placed = alongLine(line, [..."解放路"], [12, 12, 12]);
    assert.deepEqual(
      [...placed].sort((a, b) => a.x - b.x).map(({ letter }) => letter),
      [..."解放路"],
    );
    for (const { angle } of placed) assert.ok(Math.abs(Math.sin(angle)) < 1e-9 && Math.cos(angle) > 0.99);
  }
});

test("Chinese letters stand upright along a steep street, from the top down", () => {
  for (const line of [
    [0, 0, 0, 200],
    [0, 200, 0, 0],
  ]) {
    const placed = alongLine(line, [..."人民路"], [12, 12, 12]);
    assert.deepEqual(
      [...placed].sort((a, b) => a.y - b.y).map(({ letter }) => letter),
      [..."人民路"],
    );
    for (const { angle } of placed) assert.ok(Math.cos(angle) > 0.99);
  }
  const latin = alongLine([0, 0, 0, 200], [..."Main"], [8, 8, 8, 8]);
  assert.ok(Math.abs(Math.cos(latin[0].angle)) < 0.01);
});

test("a street that is too short or bends too sharply has no name", () => {
  assert.equal(alongLine([0, 0, 40, 0], [..."解放路"], [12, 12, 12]), null);
  assert.equal(alongLine([0, 0, 50, 0, 50, 50], [..."解放路"], [12, 12, 12]), null);
});

test("a line is cut to the view, also where no vertex lies in it", () => {
  assert.deepEqual(inView([-50, 50, 150, 50], { x: 100, y: 100 }), [[0, 50, 100, 50]]);
  assert.deepEqual(inView([-50, -50, -10, -90], { x: 100, y: 100 }), []);
  assert.equal(inView([50, 50, 150, 50, 150, 60, 50, 60], { x: 100, y: 100 }).length, 2);
});

test("the middle of a ring, and what lies in it", () => {
  const ring = [0, 0, 10, 0, 10, 10, 0, 10];
  assert.deepEqual(middleOf(ring), { x: 5, y: 5, area: 100 });
  assert.ok(isInside(ring, 5, 5) && !isInside(ring, 15, 5));
});

test("the same name is not written twice near to itself", () => {
  const label = (name, x) => ({ name, x, y: 0, shape: 2 });
  assert.deepEqual(
    thinOut([label("a", 0), label("a", 100), label("b", 100), label("a", 900)]).map(({ name, x }) => name + x),
    ["a0", "b100", "a900"],
  );
});

test("wide streets are named first, nothing before the layer's zoom", () => {
  const feature = (kind, name, y) => ({ shape: 2, kind, name, households: null, lines: [[0, y, 4096, y]] });
  const tile = new Map([["roads", [feature("lane", "小巷", 1000), feature("main", "大街", 3000)]]]);
  const tiles = [{ tile, left: 0, top: 0, side: 512 }];
  const view = { size: { x: 512, y: 512 }, context: recorder(), font: "x" };
  assert.deepEqual(
    groundLabels([ROADS], tiles, { ...view, zoom: 18 }).map(({ name }) => name),
    ["大街", "小巷"],
  );
  assert.deepEqual(groundLabels([ROADS], tiles, { ...view, zoom: 13 }), []);
});

test("a building has its number where it fits, its households only from near", () => {
  const layer = { ...ROADS, code: "buildings", kinds: [], label: { field: "name", from_zoom: 18 } };
  const house = {
    shape: 3,
    kind: "",
    name: "3号楼",
    households: 36,
    lines: [[100, 100, 900, 100, 900, 500, 100, 500]],
  };
  const at = (zoom, side) => {
    const tiles = [{ tile: new Map([["buildings", [house]]]), left: 0, top: 0, side }];
    return groundLabels([layer], tiles, { zoom, size: { x: 800, y: 800 }, context: recorder(), font: "x" });
  };
  assert.deepEqual(
    at(18, 512).map(({ name, second }) => [name, second]),
    [["3号楼", ""]],
  );
  assert.deepEqual(
    at(19, 1024).map(({ second }) => second),
    ["36"],
  );
  assert.deepEqual(at(18, 64), []);
});
