// Areas on tiles: reading vector tiles, painting them in pieces, finding what lies at a place, colours by number.

import assert from "node:assert/strict";
import { test } from "node:test";

import { areaAt, holds, paintAreas, paintIds, pixelOf, within } from "../../static/js/map/areapaint.js";
import { readValues, tintOf } from "../../static/js/map/areavalues.js";
import { FrameQueue } from "../../static/js/map/frames.js";
import { decodeTile } from "../../static/js/map/mvt.js";
import { TINTS } from "../../static/js/map/tints.js";

/**
 * A tile as `mapsvc.geo.tiles.mvt` writes it: 1 a square in the north-west, 2 a square with a hole, 300 two squares,
 * 70000 one that reaches in from the north-west by a hundredth; labels of 1 (with a name) and 2 (with a code only).
 */
const TILE = Uint8Array.from(
  atob(
    "GowBeAIKBWFyZWFzEhUIARgDIg8JgBAAGgCAEP8PAAD/Dw8SJggCGAMiIAmAIIAgGoAQAACAEP8PAA8JtAbLCRoAmAOYAwAAlwMPEicIrAIYAyIg" +
      "CYAQgCAaAIAQ/w8AAP8PDwm0BpoTGgCyBrMGAACxBg8SFgjwogQYAyIOCVJ/GgDSAdEBAADRAQ8ogCAaYXgCCgZsYWJlbHMSEQgBEgQAAAEBGAEi" +
      "BQmACIAIEg8IAhICAQIYASIFCZgjmCMaBG5hbWUaBGNvZGUiFgoU5ZKM5bmz6YeMIFBlYWNlIExhbmUiBAoCRzEiBAoCRzIogCA=",
  ),
  (letter) => letter.charCodeAt(0),
).buffer;

/** A context that notes what is called on it. */
function notebook() {
  const calls = [];
  const context = new Proxy(
    {},
    {
      get: (held, name) => held[name] ?? ((...values) => calls.push([name, ...values])),
      set: (held, name, value) => {
        held[name] = value;
        calls.push([`=${name}`, value]);
        return true;
      },
    },
  );
  return { context, calls, of: (name) => calls.filter(([called]) => called === name) };
}

const PLACE = { left: 0, top: 0, scale: 512 / 4096, ratio: 1, size: 512 };

test("a tile of the server is read: ids of any size, rings, holes, boxes, labels in both tongues", () => {
  const { areas, labels } = decodeTile(TILE);
  assert.deepEqual([...areas.ids], [1, 2, 300, 70_000]);
  assert.deepEqual([...areas.first], [0, 1, 3, 5, 6]);
  assert.equal(areas.rings[areas.rings.length - 1] * 2, areas.points.length);
  assert.deepEqual([...areas.boxes.slice(0, 4)], [0, 0, 1024, 1024]);
  assert.deepEqual([...areas.boxes.slice(4, 8)], [2048, 2048, 3072, 3072]);
  assert.deepEqual(labels, [
    { id: 1, x: 512, y: 512, name: "和平里 Peace Lane", code: "G1" },
    { id: 2, x: 2252, y: 2252, name: "", code: "G2" },
  ]);
});

test("an empty tile has nothing, a broken one is told", () => {
  const { areas, labels } = decodeTile(new ArrayBuffer(0));
  assert.deepEqual([areas.ids.length, labels.length, areaAt(areas, 1, 1)], [0, 0, 0]);
  assert.throws(() => decodeTile(TILE.slice(0, 60)), /ends too early/);
  assert.throws(() => decodeTile(new TextEncoder().encode("<html>not a tile").buffer));
});

test("what lies at a place is found, not in a hole, not beside", () => {
  const { areas } = decodeTile(TILE);
  assert.equal(areaAt(areas, 500, 500), 1);
  assert.equal(areaAt(areas, 2100, 2100), 2);
  assert.equal(areaAt(areas, 2500, 2500), 0, "in the hole");
  assert.equal(areaAt(areas, 200, 3400), 300, "in its second part");
  assert.equal(areaAt(areas, 4000, 100), 0);
  assert.deepEqual(within(areas, [2000, 2000, 2050, 2050]), [1]);
});

test("areas are filled in their colours, borders drawn over them, those without a colour only bordered", () => {
  const { context, of } = notebook();
  const fill = (id) => ({ 1: "#111111", 2: "#222222", 300: "#111111" })[id] ?? null;
  const look = { fill, fillOpacity: 0.2, color: "#999999", weight: 1, opacity: 0.8 };
  for (const step of paintAreas(context, decodeTile(TILE).areas, PLACE, look)) assert.equal(step, undefined);
  assert.deepEqual(
    of("=fillStyle").map(([, colour]) => colour),
    ["#111111", "#222222"],
  );
  assert.equal(of("fill").length, 2);
  assert.ok(of("fill").every(([, rule]) => rule === "evenodd"));
  assert.equal(of("stroke").length, 1);
  assert.equal(of("moveTo").length, 5 + 6, "rings of three filled areas, then of all four");
});

test("a level that is not in front has borders only; one whose areas are tiny has fills only", () => {
  const lines = notebook();
  for (const _ of paintAreas(lines.context, decodeTile(TILE).areas, PLACE, { fill: null, color: "#999", weight: 1 })) _;
  assert.deepEqual([lines.of("fill").length, lines.of("stroke").length], [0, 1]);
  const fills = notebook();
  const look = { fill: tintOf, fillOpacity: 0.2, color: "", weight: 1 };
  for (const _ of paintAreas(fills.context, decodeTile(TILE).areas, PLACE, look)) _;
  assert.equal(fills.of("stroke").length, 0);
});

test("a part of a parent tile is drawn without what lies outside of it", () => {
  const { context, of } = notebook();
  const place = { left: -512, top: -512, scale: 1024 / 4096, ratio: 2, size: 512 };
  for (const _ of paintAreas(context, decodeTile(TILE).areas, place, { fill: tintOf, fillOpacity: 1 })) _;
  assert.equal(of("moveTo").length, 2, "the square with the hole");
  assert.deepEqual(of("setTransform").pop(), ["setTransform", 2, 0, 0, 2, -1024, -1024]);
});

test("many vertices are drawn in pieces, and the page has its turn between them", () => {
  const side = 400;
  const points = new Int16Array(side * side * 8);
  for (let n = 0; n < side * side; n += 1) {
    const [x, y] = [n % side, Math.floor(n / side)];
    points.set([x, y, x + 1, y, x + 1, y + 1, x, y + 1], 8 * n);
  }
  const count = side * side;
  const areas = {
    ids: Uint32Array.from({ length: count }, (_, n) => n + 1),
    first: Uint32Array.from({ length: count + 1 }, (_, n) => n),
    rings: Uint32Array.from({ length: count + 1 }, (_, n) => 4 * n),
    points,
    boxes: Int16Array.from({ length: 4 * count }, (_, n) => points[8 * Math.floor(n / 4) + [0, 1, 4, 5][n % 4]]),
  };
  const { context, of } = notebook();
  let turns = 0;
  for (const _ of paintAreas(context, areas, PLACE, { fill: () => "#123456", fillOpacity: 1 })) turns += 1;
  assert.equal(of("moveTo").length, count);
  assert.ok(turns > 1000 && of("fill").length >= turns);
});

test("pixels of an id raster take the colours of their areas, clear where there is none", () => {
  const palette = Uint32Array.from([0, pixelOf("#4f83b5", 1), pixelOf("#000000", 0.5)]);
  const out = paintIds(Uint32Array.from([0, 1, 2, 9]), palette, new Uint32Array(4));
  assert.deepEqual([...new Uint8Array(out.buffer)].slice(0, 12), [0, 0, 0, 0, 0x4f, 0x83, 0xb5, 255, 0, 0, 0, 128]);
  assert.equal(out[3], 0, "a number that nobody knows");
});

test("values are read by number, and no other file is taken for them", () => {
  const file = new Uint8Array(
    [..."MVB1"].map((letter) => letter.charCodeAt(0)).concat(3, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 0, 0, 2, 7),
  );
  assert.deepEqual([...readValues(file.buffer)], [0, 2, 7]);
  assert.throws(() => readValues(new ArrayBuffer(3)), /no values/);
  assert.throws(() => readValues(new TextEncoder().encode("<!doctype html><html>").buffer), /no values/);
});

test("areas next to each other in the list, or in the rows of a net, mostly have different tints", () => {
  for (let step = 1; step < 60; step += 1) {
    let same = 0;
    for (let id = 1; id <= 5000; id += 1) {
      assert.ok(TINTS.includes(tintOf(id)));
      if (tintOf(id) === tintOf(id + step)) same += 1;
    }
    assert.ok(same < 5000 * (step < 6 ? 0.2 : 0.3), `${same} of 5000 at ${step}`);
  }
  for (let id = 0; id < 600; id += 6) assert.equal(new Set([0, 1, 2, 3, 4, 5].map((n) => tintOf(id + n))).size, 6);
});

test("a place lies in a polygon, its hole does not, and in any part of several", () => {
  const square = (x, y, s) => [
    [x, y],
    [x + s, y],
    [x + s, y + s],
    [x, y + s],
    [x, y],
  ];
  const holed = { type: "Polygon", coordinates: [square(0, 0, 10), square(4, 4, 2)] };
  assert.deepEqual([holds(holed, 1, 1), holds(holed, 5, 5), holds(holed, 11, 1)], [true, false, false]);
  const two = { type: "MultiPolygon", coordinates: [[square(0, 0, 1)], [square(5, 5, 1)]] };
  assert.deepEqual([holds(two, 5.5, 5.5), holds(two, 3, 3)], [true, false]);
});

/** A queue whose frames are run by hand, and whose clock goes on by a millisecond with each look. */
function slow(budget) {
  const frames = [];
  let clock = 0;
  const queue = new FrameQueue({ budget, frame: (run) => frames.push(run), now: () => (clock += 1) });
  return { queue, frame: () => frames.shift()?.() };
}

test("work is spread over frames, in its order, each piece once", () => {
  const { queue, frame } = slow(4);
  const seen = [];
  function* pieces(name, count) {
    for (let n = 0; n < count; n += 1) {
      seen.push(`${name}${n}`);
      yield;
    }
  }
  queue.add("a", pieces("a", 6), () => seen.push("a done"));
  queue.add("b", pieces("b", 2), () => seen.push("b done"));
  frame();
  assert.ok(seen.length < 6, "not all in one frame");
  for (let n = 0; n < 8; n += 1) frame();
  assert.deepEqual(seen, ["a0", "a1", "a2", "a3", "a4", "a5", "a done", "b0", "b1", "b done"]);
  assert.equal(frame(), undefined);
});

test("work that is asked for anew replaces what waits, and what is dropped is never run", () => {
  const { queue, frame } = slow(100);
  const seen = [];
  function* piece(name) {
    seen.push(name);
    yield;
  }
  queue.add("tile", piece("old"));
  queue.add("tile", piece("new"));
  queue.add("gone", piece("gone"));
  queue.drop("gone");
  frame();
  frame();
  assert.deepEqual(seen, ["new"]);
});
