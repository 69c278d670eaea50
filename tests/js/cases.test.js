// Cases on maps: tiles in view, what is kept and asked for again, the way from circle to circle by keys.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readBox } from "../../static/js/map/address.js";
import { nearest, nextIn } from "../../static/js/map/casekeys.js";
import { CaseTiles, itemsOf, tilesOver } from "../../static/js/map/casetiles.js";

const settled = () => new Promise((done) => setImmediate(done));

/** A map of 512 x 512 pixels with its corner at (left, top) of the world at a zoom. */
const mapAt = (zoom, left, top) => ({
  getZoom: () => zoom,
  getPixelBounds: () => ({ min: { x: left, y: top }, max: { x: left + 512, y: top + 512 } }),
  getZoomScale: (to, from) => 2 ** (to - from),
});

const CLUSTER = { lon: 121, lat: 41, count: 10_000, overdue: 3, box: [1, 2, 3, 4], pile: true };
const ALONE = { id: 7, lon: 121, lat: 41, state: "assigned", overdue: true, edge: false };

/** Sources whose answers are given by hand. */
function make(options = {}) {
  const asked = [];
  let clock = 0;
  const fetch = (url, { signal }) =>
    new Promise((answer, fail) => {
      asked.push({ url, answer, fail, signal });
      signal.addEventListener("abort", () => fail(Object.assign(new Error("gone"), { name: "AbortError" })));
    });
  const tiles = new CaseTiles("/t/{z}/{x}/{y}.json", { fetch, now: () => clock, ...options });
  const changes = [];
  tiles.onChange = (error) => changes.push(error);
  return { tiles, asked, changes, pass: (ms) => (clock += ms) };
}

const answerAll = async (asked, body) => {
  for (const one of asked.splice(0)) one.answer(body);
  await settled();
};

test("the tiles of a view are those that it touches, and none beyond the world", () => {
  assert.deepEqual(tilesOver({ min: { x: 10, y: 10 }, max: { x: 300, y: 200 } }, 3), [
    { z: 3, x: 0, y: 0 },
    { z: 3, x: 1, y: 0 },
  ]);
  assert.equal(tilesOver({ min: { x: -900, y: -900 }, max: { x: 9000, y: 9000 } }, 1).length, 4);
  assert.deepEqual(tilesOver({ min: { x: 600, y: 0 }, max: { x: 900, y: 100 } }, 0), []);
});

test("circles and single cases become items with their numbers as they are", () => {
  const [circle, alone] = itemsOf({ clusters: [CLUSTER], cases: [ALONE] });
  assert.equal(circle.count, 10_000);
  assert.deepEqual([alone.count, alone.overdue, alone.pile, alone.id], [1, 1, false, 7]);
});

test("a tile is asked for once while it is fresh, and again afterwards", async () => {
  const { tiles, asked, pass } = make();
  const map = mapAt(3, 0, 0);
  assert.deepEqual(tiles.items(map, 0), { items: Object.assign([], { z: 3 }), whole: false });
  const first = asked.length;
  assert.ok(first > 0 && new Set(asked.map(({ url }) => url)).size === first);
  await answerAll(asked, { clusters: [CLUSTER], cases: [] });
  const { items, whole } = tiles.items(map, 0);
  assert.ok(whole);
  assert.equal(items.length, first);
  assert.equal(asked.length, 0);
  pass(61_000);
  assert.equal(tiles.items(map, 0).items.length, first, "what is known is shown meanwhile");
  assert.equal(asked.length, first);
});

test("until a new zoom is whole the old one stays, then only the new one is there", async () => {
  const { tiles, asked } = make();
  tiles.items(mapAt(3, 0, 0), 0);
  await answerAll(asked, { clusters: [CLUSTER], cases: [] });
  const before = tiles.items(mapAt(3, 0, 0), 0).items.length;
  assert.equal(tiles.items(mapAt(4, 0, 0), 0).items.length, before);
  const [one, ...others] = asked.splice(0);
  one.answer({ clusters: [], cases: [ALONE] });
  await settled();
  assert.equal(tiles.items(mapAt(4, 0, 0), 0).items[0].count, 10_000);
  for (const other of others) other.answer({ clusters: [], cases: [] });
  await settled();
  const { items, whole } = tiles.items(mapAt(4, 0, 0), 0);
  assert.deepEqual([whole, items.map(({ id }) => id)], [true, [7]]);
});

test("what has left the view is no longer waited for, and is asked for when it comes back", async () => {
  const { tiles, asked, changes } = make();
  tiles.items(mapAt(10, 0, 0), 0);
  const gone = asked.splice(0);
  tiles.items(mapAt(10, 20_000, 20_000), 0);
  assert.ok(gone.every(({ signal }) => signal.aborted));
  await settled();
  assert.deepEqual(changes, [], "leaving is no failure");
  asked.splice(0);
  tiles.items(mapAt(10, 0, 0), 0);
  assert.equal(asked.length, gone.length);
});

test("a tile that failed says so, is whole without it, and is asked for again only after a while", async () => {
  const { tiles, asked, changes, pass } = make();
  tiles.items(mapAt(0, 0, 0), 0);
  assert.equal(asked.length, 1);
  asked.pop().fail(new Error("503"));
  await settled();
  assert.match(changes[0].message, /503/);
  assert.ok(tiles.items(mapAt(0, 0, 0), 0).whole);
  assert.equal(asked.length, 0, "not at once: each answer draws the map anew");
  pass(6_000);
  tiles.items(mapAt(0, 0, 0), 0);
  assert.equal(asked.length, 1);
});

test("no more tiles are kept than asked, those in view always", async () => {
  const { tiles, asked } = make({ most: 10 });
  for (let step = 0; step < 20; step += 1) {
    tiles.items(mapAt(10, step * 512, 0), 0);
    await answerAll(asked, { clusters: [], cases: [] });
  }
  assert.ok(tiles.kept.size <= 10);
  assert.ok(tiles.items(mapAt(10, 19 * 512, 0), 0).whole);
});

test("arrows lead to what lies ahead, never back, and end at the edge", () => {
  const items = [
    { x: 100, y: 100 },
    { x: 200, y: 110 },
    { x: 150, y: 300 },
    { x: 20, y: 100 },
  ];
  assert.equal(nextIn(items, items[0], [1, 0]), items[1]);
  assert.equal(nextIn(items, items[0], [-1, 0]), items[3]);
  assert.equal(nextIn(items, items[0], [0, 1]), items[2]);
  assert.equal(nextIn(items, items[1], [1, 0]), null);
  assert.equal(nextIn([items[0]], items[0], [1, 0]), null, "never to itself");
  assert.equal(nearest(items, { x: 140, y: 290 }), items[2]);
  assert.equal(nearest([], { x: 0, y: 0 }), null);
});

test("a box in the address is four numbers in their order", () => {
  assert.deepEqual(readBox("1,2,3,4"), [1, 2, 3, 4]);
  for (const wrong of ["", null, "1,2,3", "3,2,1,4", "1,2,3,x", "1,2,3,4,5", "-999,1,2,3"])
    assert.equal(readBox(wrong), null);
});
