// Paints the features of a tile in the style of their layer. Takes a context and values; no map, no page.

import { EXTENT, TILE_PX } from "./tiles.js";

const GROWTH = 1.45;

/** Return the width in pixels of a line that has `weight` at zoom 16. */
export function widthAt(weight, zoom) {
  return Math.max(0.6, weight * GROWTH ** (zoom - 16));
}

/** Return the style of a kind: its own where the layer has one, else the layer's; with its place in the order. */
export function styleOf(layer, kind) {
  const index = layer.kinds.findIndex(({ values }) => values.includes(kind));
  const own = index < 0 ? null : layer.kinds[index];
  return { style: own?.style ?? layer.style, from: own?.from_zoom ?? 0, rank: index };
}

/** Put features into groups of one style, the lowest first; those that are not yet shown at this zoom are left out. */
export function groups(layer, features, zoom) {
  const found = new Map();
  for (const feature of features) {
    const { style, from, rank } = styleOf(layer, feature.kind);
    if (zoom < from) continue;
    if (!found.has(rank)) found.set(rank, { style, rank, features: [] });
    found.get(rank).features.push(feature);
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank);
}

function trace(context, lines, scale, close) {
  for (const line of lines) {
    context.moveTo(line[0] * scale, line[1] * scale);
    for (let i = 2; i < line.length; i += 2) context.lineTo(line[i] * scale, line[i + 1] * scale);
    if (close) context.closePath();
  }
}

/** Paint the layers of one tile in their order; `colour` turns a style's colour into one that a canvas knows. */
export function paintGround(context, layers, tile, place, zoom, colour) {
  context.setTransform(place.ratio, 0, 0, place.ratio, place.left * place.ratio, place.top * place.ratio);
  context.lineJoin = "round";
  const whole = Math.round(zoom);
  for (const layer of layers) {
    if (whole < layer.zooms[0] || whole > layer.zooms[1]) continue;
    const found = groups(layer, tile.get(layer.code) ?? [], whole);
    for (const group of found) paintPolygons(context, group, place.scale, colour);
    for (const group of found) paintLines(context, group, place.scale, whole, colour, "casing");
    for (const group of found) paintLines(context, group, place.scale, whole, colour, "color");
    for (const group of found) paintPoints(context, group, place.scale, colour);
  }
}

function paintPolygons(context, { style, features }, scale, colour) {
  const polygons = features.filter(({ shape }) => shape === 3);
  if (!polygons.length) return;
  context.beginPath();
  for (const { lines } of polygons) trace(context, lines, scale, true);
  if (style.fill) {
    context.globalAlpha = style.fill_opacity;
    context.fillStyle = colour(style.fill);
    context.fill("evenodd");
  }
  if (style.weight > 0) {
    context.globalAlpha = style.opacity;
    context.strokeStyle = colour(style.color);
    context.lineWidth = Math.min(style.weight, 1);
    context.setLineDash([]);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function paintLines(context, { style, features }, scale, zoom, colour, part) {
  const lines = features.filter(({ shape }) => shape === 2);
  const width = widthAt(style.weight, zoom);
  const casing = part === "casing";
  if (!lines.length || !style[part] || (casing && width < 2.5)) return;
  context.globalAlpha = style.opacity;
  context.strokeStyle = colour(style[part]);
  context.lineWidth = casing ? width + 2 : width;
  context.lineCap = style.dash ? "butt" : "round";
  context.setLineDash(casing || !style.dash ? [] : style.dash.split(" ").map(Number));
  context.beginPath();
  for (const feature of lines) trace(context, feature.lines, scale, false);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function paintPoints(context, { style, features }, scale, colour) {
  const points = features.filter(({ shape }) => shape === 1);
  if (!points.length) return;
  context.globalAlpha = style.opacity;
  context.fillStyle = colour(style.color);
  context.beginPath();
  for (const { lines } of points) {
    for (const [x, y] of lines) {
      context.moveTo(x * scale + style.radius, y * scale);
      context.arc(x * scale, y * scale, style.radius, 0, 2 * Math.PI);
    }
  }
  context.fill();
  context.globalAlpha = 1;
}

/** Whether a point of tile coordinates lies in the tile itself and not in the margin round it. */
export function isInTile(x, y) {
  return x >= 0 && y >= 0 && x < EXTENT && y < EXTENT;
}

export { TILE_PX };
