// A stand-alone map fetches nothing: what its layers load by address stands in the file itself.

import { decodeAreas } from "./shapes.js";

let all = null;
const kept = new Map();

export function load(address) {
  all ??= JSON.parse(document.getElementById("data").textContent);
  if (!kept.has(address)) {
    const found = all[address];
    kept.set(
      address,
      found ? Promise.resolve(found.areas ? decodeAreas(found) : found) : Promise.reject(new Error(address)),
    );
  }
  return kept.get(address);
}
