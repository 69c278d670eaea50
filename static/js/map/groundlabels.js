// What is written on the ground: names of streets along them, of water and parks in them, numbers of buildings.

import { alongLine } from "./along.js";
import { isInTile, styleOf, widthAt } from "./groundpaint.js";
import { EXTENT } from "./tiles.js";

const STREET_PX = 12;
const PLACE_PX = 12;
const NUMBER_PX = 11;
const APART_PX = { 1: 60, 2: 360, 3: 160 };

/** Return the middle of a ring [x0, y0, ...] and its area; both in the square of its units. */
export function middleOf(ring) {
  let [area, x, y] = [0, 0, 0];
  for (let i = 0; i < ring.length; i += 2) {
    const [x0, y0] = [ring[i], ring[i + 1]];
    const [x1, y1] = [ring[(i + 2) % ring.length], ring[(i + 3) % ring.length]];
    const cross = x0 * y1 - x1 * y0;
    area += cross;
    x += (x0 + x1) * cross;
    y += (y0 + y1) * cross;
  }
  if (!area) return { x: ring[0], y: ring[1], area: 0 };
  return { x: x / (3 * area), y: y / (3 * area), area: Math.abs(area / 2) };
}

/** Whether a point lies in a ring. */
export function isInside(ring, x, y) {
  let inside = false;
  for (let i = 0, j = ring.length - 2; i < ring.length; j = i, i += 2) {
    const crosses = ring[i + 1] > y !== ring[j + 1] > y;
    if (crosses && x < ((ring[j] - ring[i]) * (y - ring[i + 1])) / (ring[j + 1] - ring[i + 1]) + ring[i])
      inside = !inside;
  }
  return inside;
}

/** Return the labels of tiles {tile, left, top, side}, the wider streets and larger grounds first. */
export function groundLabels(layers, tiles, { zoom, size, context, font }) {
  const found = [];
  for (const layer of layers) {
    if (!layer.label.field || zoom < layer.label.from_zoom || zoom > layer.zooms[1]) continue;
    for (const { tile, left, top, side } of tiles) {
      const scale = side / EXTENT;
      const write = { layer, zoom, left, top, scale, size, context, font };
      for (const feature of tile.get(layer.code) ?? []) if (feature.name) found.push(...labelsOf(feature, write));
    }
  }
  return thinOut(found.sort((a, b) => b.weight - a.weight));
}

function labelsOf(feature, write) {
  if (feature.shape === 2) return streetLabels(feature, write);
  const { layer, zoom, left, top, scale, size, context, font } = write;
  const ring = feature.lines[0];
  const at = feature.shape === 3 ? middleOf(ring) : { x: ring[0], y: ring[1], area: 0 };
  if (!isInTile(at.x, at.y) || (feature.shape === 3 && !isInside(ring, at.x, at.y))) return [];
  const [x, y] = [left + at.x * scale, top + at.y * scale];
  if (x < -40 || y < -20 || x > size.x + 40 || y > size.y + 20) return [];
  const building = feature.households !== null;
  const px = building ? NUMBER_PX : PLACE_PX;
  context.font = `500 ${px}px ${font}`;
  const width = context.measureText(feature.name).width;
  const room = Math.sqrt(at.area) * scale;
  if (feature.shape === 3 && room < width * 0.55) return [];
  const second = building && zoom >= 19 && feature.households ? String(feature.households) : "";
  const ink = building ? "building" : layer.code;
  return [
    { name: feature.name, second, x, y, px, width, shape: feature.shape, ink, weight: building ? 1 : 30 + room / 20 },
  ];
}

function streetLabels(feature, { layer, zoom, left, top, scale, size, context, font }) {
  const { style, from } = styleOf(layer, feature.kind);
  const wide = widthAt(style.weight, zoom);
  if (wide < 2.5 || zoom < from) return [];
  const letters = [...feature.name];
  context.font = `500 ${STREET_PX}px ${font}`;
  const widths = letters.map((letter) => context.measureText(letter).width);
  const labels = [];
  for (const line of feature.lines) {
    const pixels = line.map((value, i) => (i % 2 ? top : left) + value * scale);
    for (const part of inView(pixels, size)) {
      const placed = alongLine(part, letters, widths);
      if (placed) {
        const { x, y } = placed[placed.length >> 1];
        labels.push({
          name: feature.name,
          letters: placed,
          x,
          y,
          px: STREET_PX,
          shape: 2,
          ink: "street",
          weight: 2 + wide,
        });
      }
    }
  }
  return labels;
}

/** Cut a polyline in pixels to its parts in the view. */
export function inView(line, size) {
  const parts = [];
  let part = [];
  for (let i = 2; i < line.length; i += 2) {
    const cut = clip(line[i - 2], line[i - 1], line[i], line[i + 1], size);
    if (!cut) continue;
    const [x0, y0, x1, y1] = cut;
    if (part.length && (part[part.length - 2] !== x0 || part[part.length - 1] !== y0)) {
      parts.push(part);
      part = [];
    }
    if (!part.length) part.push(x0, y0);
    part.push(x1, y1);
  }
  if (part.length) parts.push(part);
  return parts;
}

/** Cut a segment to the view (Liang-Barsky); null where it misses it. */
function clip(x0, y0, x1, y1, size) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [from, to] = [0, 1];
  for (const [step, room] of [
    [-dx, x0],
    [dx, size.x - x0],
    [-dy, y0],
    [dy, size.y - y0],
  ]) {
    if (step === 0) {
      if (room < 0) return null;
    } else if (step < 0) from = Math.max(from, room / step);
    else to = Math.min(to, room / step);
  }
  if (from > to) return null;
  const at = (share) => [x0 + share * dx, y0 + share * dy];
  return [...(from > 0 ? at(from) : [x0, y0]), ...(to < 1 ? at(to) : [x1, y1])];
}

/** Leave out what says the same name too near to one kept before. */
export function thinOut(labels) {
  const by = new Map();
  return labels.filter((label) => {
    const same = by.get(label.name) ?? [];
    if (same.some(({ x, y }) => Math.hypot(x - label.x, y - label.y) < APART_PX[label.shape])) return false;
    by.set(label.name, [...same, label]);
    return true;
  });
}
