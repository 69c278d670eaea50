// Scripts and styles of ours stay at or below the floor of browsers; and the checker does see what lies above it.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { checkScript, checkStyle, ownMethods } from "../../tools/lint/floor.mjs";

const ROOT = new URL("../../static/", import.meta.url);

/** Methods of Leaflet whose names the platform uses for something newer. */
const OF_LEAFLET = ["getSize", "pad", "redraw"];

/** Asked for before they are used, and done without where they are missing. */
const ASKED_FOR = {
  "js/device.js": ["estimate", "persist", "persisted", "wakeLock", "userAgentData", "permissions", "query"],
  "js/keys.js": ["showModal", "close"],
  "js/report.js": ["requestSubmit"],
};

/** What an old browser may leave out, and why that does no harm. */
const MAY_BE_IGNORED = {
  "css/base.css": ["text-wrap", "text-wrap: balance", "outline", "overflow-wrap: anywhere"],
  "css/case.css": ["overflow-wrap: anywhere"],
  "css/map.css": ["mix-blend-mode: plus-lighter", "outline"],
  "css/report.css": ["user-select", "user-select: all"],
};
// text-wrap: a heading breaks elsewhere. outline: without the radius. overflow-wrap: word-break stands before it.
// mix-blend-mode: tiles that fade in. user-select: its older name stands before it.

const files = (folder, end) =>
  readdirSync(new URL(folder, ROOT), { recursive: true })
    .map((name) => `${folder}/${name}`)
    .filter((name) => name.endsWith(end));
const read = (name) => readFileSync(new URL(name, ROOT), "utf8");

test("every script keeps to the floor", () => {
  const scripts = files("js", ".js");
  assert.ok(scripts.length > 20);
  const methods = new Set(OF_LEAFLET);
  for (const name of scripts) for (const method of ownMethods(read(name))) methods.add(method);
  const found = scripts
    .filter((name) => name !== "js/floor.js")
    .flatMap((name) => checkScript(read(name), { methods, allowed: ASKED_FOR[name] }).map((what) => `${name}:${what}`));
  assert.deepEqual(found, []);
});

test("the script that looks for the floor runs far below it", () => {
  assert.deepEqual(checkScript(read("js/floor.js"), { module: false, es5: true }), []);
});

test("every style keeps to the floor", () => {
  const styles = files("css", ".css");
  assert.ok(styles.length > 10);
  const found = styles.flatMap((name) =>
    checkStyle(read(name), { allowed: MAY_BE_IGNORED[name] }).map((what) => `${name}:${what}`),
  );
  assert.deepEqual(found, []);
});

test("newer names and newer syntax of scripts are seen", () => {
  const names = (text, more) => checkScript(text, more).map((line) => line.replace(/^\d+: /, ""));
  assert.deepEqual(names("const a = [1]; a.at(-1); a.findLast(Boolean); structuredClone(a); Object.hasOwn(a, 1);"), [
    "at",
    "findLast",
    "structuredClone",
    "hasOwn",
  ]);
  assert.deepEqual(names("navigator.userActivation; new URLPattern(); Array.fromAsync(x);"), [
    "userActivation",
    "URLPattern",
    "fromAsync",
  ]);
  assert.deepEqual(names("a ??= 'x'.replaceAll('x', y?.z); b.flat(); document.body.replaceChildren();"), []);
  assert.deepEqual(names("const at = (x) => x; at(1); thing.at(2);", { methods: new Set(["at"]) }), []);
  for (const text of ["class A { x = 1 }", "await 1", "a = #b in c", "import x from 'y' with { type: 'json' }"]) {
    assert.match(names(text)[0], /^syntax/, text);
  }
  assert.match(names("var f = () => 1", { es5: true, module: false })[0], /^syntax/);
});

test("newer styles are seen, and those with a fallback pass", () => {
  const names = (text) => checkStyle(text).map((line) => line.replace(/^\d+: /, ""));
  assert.deepEqual(names("a:has(b) { color: color-mix(in srgb, red, blue) }"), [":has", "color-mix()"]);
  assert.deepEqual(names("a { height: 100dvh }"), ["dvh"]);
  assert.deepEqual(names("a { height: 100vh; height: 100dvh }"), []);
  assert.deepEqual(names("@layer x; @container (width > 1px) { a { inset: 0 } }"), ["@layer", "@container", "inset"]);
  assert.deepEqual(names("@media (width >= 30rem) { a { color: red } }"), ["media range"]);
  assert.deepEqual(names("a:where(b), a:is(b) { display: grid; gap: 1rem }"), [":where", ":is"]);
  assert.deepEqual(names("@supports selector(:is(a)) { a:is(b) { color: red } }"), []);
});
