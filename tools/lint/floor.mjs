// Scripts and styles that ask for more than the oldest browsers we promise: Chromium 86 and Safari 15.
//
// Syntax is judged by a parser set to the year that both have whole; names of the web platform and of styles by
// MDN's browser-compat-data. A parser cannot tell whose `.at()` it is: a method is refused when no object that bears
// the name has it at the floor, unless the scripts define one themselves. Plain properties are judged on the objects of
// the browser only (`navigator.wakeLock`): of our own data nothing is known.

import { createRequire } from "node:module";
import { parse } from "acorn";
import { full } from "acorn-walk";
import postcss from "postcss";

const data = createRequire(import.meta.url)("@mdn/browser-compat-data");

export const FLOOR = { chrome: 86, safari: 15 };
const YEAR = 2021;

/** Whether a feature is there at the floor, without a flag or a prefix. */
export function isOld(compat) {
  return Object.entries(FLOOR).every(([browser, floor]) => {
    const told = [compat.support[browser] ?? []].flat();
    return told.some(
      ({ version_added: added, version_removed: removed, flags, prefix, alternative_name: other }) =>
        !flags &&
        !prefix &&
        !other &&
        !removed &&
        added &&
        (added === true || parseFloat(String(added).replace("≤", "")) <= floor),
    );
  });
}

/** Names of objects and members, each with whether any of its bearers is old. */
function readNames() {
  const names = new Map();
  const note = (name, feature) => {
    const compat = feature?.__compat;
    if (compat) names.set(name, names.get(name) || isOld(compat));
  };
  for (const tree of [data.api, data.javascript.builtins]) {
    for (const [name, bearer] of Object.entries(tree)) {
      if (name === "__compat") continue;
      note(name, bearer);
      for (const [member, feature] of Object.entries(bearer)) {
        if (member === "__compat" || member.startsWith("@@")) continue;
        note(member.replace(/_(static|event)$/, ""), feature);
        if (tree === data.javascript.builtins) for (const [deep, one] of Object.entries(feature)) note(deep, one);
      }
    }
  }
  return names;
}

const NAMES = readNames();

/** Return what is too new in a script, as "line: what". `allowed`: names that the script asks for before it uses them. */
export function checkScript(text, { module = true, es5 = false, allowed = [], methods = new Set() } = {}) {
  let tree;
  try {
    const sourceType = module ? "module" : "script";
    tree = parse(text, { ecmaVersion: es5 ? 5 : YEAR, sourceType, locations: true, allowAwaitOutsideFunction: false });
  } catch (error) {
    return [`${error.loc?.line ?? 0}: syntax: ${error.message}`];
  }
  const own = ownNames(tree);
  const found = [];
  const judge = (name, node) => {
    if (NAMES.get(name) === false && !allowed.includes(name)) found.push(`${node.loc.start.line}: ${name}`);
  };
  full(tree, (node) => {
    if (node.type === "CallExpression" && node.callee.type === "MemberExpression" && !node.callee.computed) {
      const name = node.callee.property.name;
      if (!methods.has(name)) judge(name, node.callee);
    } else if (node.type === "MemberExpression" && !node.computed && isOfBrowser(node.object)) {
      judge(node.property.name, node);
    } else if (node.type === "Identifier" && !own.has(node.name)) judge(node.name, node);
  });
  return [...new Set(found)];
}

const OF_BROWSER = ["window", "document", "navigator", "location", "history", "screen", "performance", "CSS", "Intl"];

function isOfBrowser(node) {
  const root = node.type === "MemberExpression" ? node.object : node;
  return root.type === "Identifier" && OF_BROWSER.includes(root.name);
}

/** Return the names of methods and functions that a script gives to objects and classes of its own. */
export function ownMethods(text) {
  const names = new Set();
  full(parse(text, { ecmaVersion: "latest", sourceType: "module" }), (node) => {
    const isMethod = node.type === "MethodDefinition" || (node.type === "Property" && /Function/.test(node.value.type));
    if (isMethod && !node.computed) names.add(node.key.name ?? node.key.value);
  });
  return names;
}

/** Names that the script itself gives: declared, imported, parameters, keys. */
function ownNames(tree) {
  const names = new Set();
  const take = (pattern) => {
    if (!pattern) return;
    if (pattern.type === "Identifier") names.add(pattern.name);
    for (const part of pattern.properties ?? pattern.elements ?? []) take(part?.value ?? part?.argument ?? part);
    if (pattern.type === "AssignmentPattern") take(pattern.left);
    if (pattern.type === "RestElement") take(pattern.argument);
  };
  full(tree, (node) => {
    if (node.type === "VariableDeclarator" || node.type === "ClassDeclaration") take(node.id);
    if (node.type.startsWith("Import") && node.local) take(node.local);
    if (node.params) [...node.params, node.id].forEach(take);
    if (node.type === "CatchClause") take(node.param);
  });
  return names;
}

const PSEUDO = /::?([a-z-]+)/g;
const NEW_UNITS =
  /(^|[^\w#.-])-?[\d.]+(dvh|svh|lvh|dvw|svw|lvw|dvb|dvi|cqw|cqh|cqi|cqb|cqmin|cqmax|rlh|lh|rcap|rex|ric|rch)\b/;
const FUNCTION = /(^|[^\w-])([a-z][a-z-]*)\(/g;

/** Functions of values by name, with whether they are old; those that the data files elsewhere are left alone. */
function readFunctions() {
  const names = new Map();
  const visit = (node) => {
    for (const [name, inner] of Object.entries(node)) {
      if (name === "__compat" || typeof inner !== "object") continue;
      if (inner.__compat) names.set(name, names.get(name) || isOld(inner.__compat));
      visit(inner);
    }
  };
  visit(data.css.types);
  return names;
}

const FUNCTIONS = readFunctions();

/** Return what is too new in a style sheet, as "line: what". `allowed`: what may be ignored by an old browser. */
export function checkStyle(text, { allowed = [] } = {}) {
  const found = [];
  const note = (node, what) => {
    if (!allowed.includes(what)) found.push(`${node.source.start.line}: ${what}`);
  };
  postcss.parse(text).walk((node) => {
    if (node.type === "decl") judgeDeclaration(node, note);
    else if (node.type === "rule" && !isBehindSupports(node)) {
      for (const [, name] of node.selector.matchAll(PSEUDO)) {
        const compat = (data.css.selectors[name] ?? {}).__compat;
        if (compat && !isOld(compat)) note(node, `:${name}`);
      }
    } else if (node.type === "atrule") judgeAtRule(node, note);
  });
  return [...new Set(found)];
}

/** Whether a rule stands where only browsers that know its selector look. */
function isBehindSupports(node) {
  return node.parent.type === "atrule" && node.parent.name === "supports" && node.parent.params.includes("selector(");
}

function judgeDeclaration(node, note) {
  if (!node.prop.startsWith("-")) {
    const feature = data.css.properties[node.prop];
    if (feature?.__compat && !isOld(feature.__compat)) note(node, node.prop);
    const value = feature?.[node.value];
    if (value?.__compat && !isOld(value.__compat)) note(node, `${node.prop}: ${node.value}`);
  }
  const unit = NEW_UNITS.exec(node.value);
  const fallback = node.parent.nodes?.some((other) => other.prop === node.prop && !NEW_UNITS.test(other.value));
  if (unit && !fallback) note(node, unit[2]);
  for (const [, , name] of node.value.matchAll(FUNCTION)) if (FUNCTIONS.get(name) === false) note(node, `${name}()`);
}

function judgeAtRule(node, note) {
  const feature = data.css["at-rules"][node.name];
  if (feature?.__compat && !isOld(feature.__compat)) note(node, `@${node.name}`);
  for (const [, name] of node.params.matchAll(/\(\s*([a-z-]+)/g)) {
    if (feature?.[name]?.__compat && !isOld(feature[name].__compat)) note(node, `(${name})`);
  }
  if (node.name === "media" && /[<>]=?/.test(node.params)) note(node, "media range");
}
