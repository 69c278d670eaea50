import assert from "node:assert/strict";
import { test } from "node:test";

const kept = new Map();
globalThis.location = { href: "https://here.example/cases/1" };
globalThis.window = {
  localStorage: {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
    key: (index) => [...kept.keys()][index],
    get length() {
      return kept.size;
    },
  },
};
const drafts = await import("../../static/js/drafts.js");

/** A form with one text, one box and one select, as far as drafts look at it. */
function form(text = "", checked = false, choice = "a") {
  const fields = [
    { name: "reason", type: "textarea", tagName: "TEXTAREA", value: text, defaultValue: "" },
    { name: "result", type: "radio", tagName: "INPUT", value: "exists", checked, defaultChecked: false },
    {
      name: "unit_id",
      type: "select-one",
      tagName: "SELECT",
      value: choice,
      options: [{ value: "a" }, { value: "b" }],
    },
  ];
  return { querySelectorAll: () => fields, fields };
}

test("what was typed comes back, and only under its own account and form", () => {
  kept.clear();
  const key = drafts.keyOf("7", "/cases/1/steps/return");
  drafts.keep(key, form("half a word", true, "b"));
  const empty = form();
  assert.equal(drafts.restore(key, empty), true);
  assert.deepEqual(
    empty.fields.map((field) => field.checked ?? field.value),
    ["half a word", true, "b"],
  );
  assert.equal(drafts.restore(drafts.keyOf("8", "/cases/1/steps/return"), form()), false);
  assert.equal(drafts.restore(drafts.keyOf("7", "/cases/2/steps/return"), form()), false);
});

test("nothing said is nothing kept, and nobody keeps nothing", () => {
  kept.clear();
  drafts.keep(drafts.keyOf("7", "/x"), form());
  drafts.keep(drafts.keyOf("", "/x"), form("words"));
  assert.equal(drafts.count(), 0);
});

test("a draft that was sent is forgotten, an old one as well", () => {
  kept.clear();
  const key = drafts.keyOf("7", "/x");
  drafts.keep(key, form("words"), 1_000);
  assert.deepEqual([drafts.count(), drafts.count("7"), drafts.count("8")], [1, 1, 0]);
  assert.equal(drafts.restore(key, form(), 1_000 + 8 * 86_400_000), false);
  assert.equal(drafts.count(), 0);
  drafts.keep(key, form("words"));
  drafts.drop(key);
  assert.equal(drafts.count(), 0);
});
