import assert from "node:assert/strict";
import test from "node:test";

import { ends, funnel, trend } from "../../static/js/insight/charts.js";

const INK = { line: "", text: "", faint: "", font: "", paper: "", accent: "", danger: "" };

test("an axis of shares ends at the tenths around what is drawn", () => {
  assert.deepEqual(ends([0.83, 0.97, null]), { min: 0.8, max: 1, interval: 0.05 });
  assert.deepEqual(ends([0.02, 0.11]), { min: 0, max: 0.2, interval: 0.05 });
  assert.deepEqual(ends([1, 1]), { min: 0.9, max: 1, interval: 0.05 });
  assert.deepEqual(ends([]), { min: 0, max: 1, interval: 0.2 });
});

test("no point and no limit lies outside the axis", () => {
  const areas = [
    { name: "01", n: 40, share: 0.55, standing: "below", limits: [0.8, 0.98, 0.71, 1] },
    { name: "02", n: 90, share: 0.93, standing: "within", limits: [0.85, 0.95, 0.8, 0.99] },
  ];
  const { min, max } = funnel({ areas, centre: 0.9 }, INK, "").yAxis;
  assert.deepEqual([min, max], [0.5, 1]);
  const months = [
    { name: "a", share: null, low: null, high: null, n: 0, few: true },
    { name: "b", share: 0.5, low: 0.31, high: 0.69, n: 9, few: true },
  ];
  const axis = trend({ trend: months }, INK, "").yAxis;
  assert.deepEqual([axis.min, axis.max], [0.3, 0.7]);
});
