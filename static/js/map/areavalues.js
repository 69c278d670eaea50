// What areas of tiles look like by their number: a tint each, or a value each from one small file. Pure.

import { TINTS } from "./tints.js";

/**
 * Return the tint of an area by its number. Those next to each other in the list differ but for every sixth; whatever
 * the list's own order, no two rows of a net have the same tints below each other throughout.
 */
export function tintOf(id) {
  let turn = Math.imul(Math.floor(id / 6) + 1, 0x85ebca6b);
  turn = Math.imul(turn ^ (turn >>> 13), 0xc2b2ae35);
  return TINTS[((id % 6) + ((turn ^ (turn >>> 16)) >>> 8)) % TINTS.length];
}

/** Read values.bin: a byte for each area, by its number from 1. */
export function readValues(buffer) {
  const [bytes, head] = [new Uint8Array(buffer), new DataView(buffer)];
  if (bytes.length < 16 || String.fromCharCode(...bytes.subarray(0, 4)) !== "MVB1") throw new Error("no values");
  return bytes.subarray(16, 16 + head.getUint32(4, true));
}
