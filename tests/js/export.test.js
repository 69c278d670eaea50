import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeAreas, decodeRing, findAt } from "../../static/js/export/shapes.js";

const square = (x, y, side) => [x, y, side, 0, 0, side, -side, 0];

test("a ring is its first vertex and steps, closed", () => {
  assert.deepEqual(decodeRing(square(118000000, 30000000, 1000)), [
    [118, 30],
    [118.001, 30],
    [118.001, 30.001],
    [118, 30.001],
    [118, 30],
  ]);
});

test("neighbours have equal vertices, whatever way their rings go", () => {
  const [left, right] = [decodeRing(square(0, 0, 7)), decodeRing([7, 7, 0, -7, 7, 0, 0, 7])];
  assert.deepEqual(left[1], right[1]);
  assert.deepEqual(left[2], right[0]);
});

test("a place is found in its area, not in a hole, and in one area only at a shared border", () => {
  const areas = [
    { code: "A", name: "甲", rings: [[square(0, 0, 1000000), square(250000, 250000, 500000)]] },
    { code: "B", name: "乙", rings: [[square(1000000, 0, 1000000)], [square(5000000, 0, 1000000)]] },
  ];
  const { features } = decodeAreas({ areas });
  assert.deepEqual(features[0].properties, { code: "A", name: "甲" });
  assert.equal(findAt(features, [0.1, 0.1]).properties.code, "A");
  assert.equal(findAt(features, [0.5, 0.5]), undefined);
  assert.equal(findAt(features, [5.5, 0.5]).properties.code, "B");
  assert.equal(findAt(features, [3, 0.5]), undefined);
  const at = [1, 0.5];
  const holders = features.filter((feature) => findAt([feature], at));
  assert.equal(holders.length, 1);
});
