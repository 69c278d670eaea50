// Paints the areas of a tile, and says which of them holds a place. Takes a context and values; no map, no page.

const CHUNK = 300;

/** Return the numbers of the areas that reach into a box of tile units. */
export function within({ ids, boxes }, [x0, y0, x1, y1]) {
  const found = [];
  for (let n = 0; n < ids.length; n += 1) {
    if (boxes[4 * n] <= x1 && boxes[4 * n + 2] >= x0 && boxes[4 * n + 1] <= y1 && boxes[4 * n + 3] >= y0) found.push(n);
  }
  return found;
}

/** Add the rings of one area to the path of a context; returns how many vertices that were. */
function trace(context, { first, rings, points }, n, scale) {
  const [from, to] = [first[n], first[n + 1]];
  for (let ring = from; ring < to; ring += 1) {
    const end = 2 * rings[ring + 1];
    let at = 2 * rings[ring];
    context.moveTo(points[at] * scale, points[at + 1] * scale);
    for (at += 2; at < end; at += 2) context.lineTo(points[at] * scale, points[at + 1] * scale);
    context.closePath();
  }
  return rings[to] - rings[from];
}

/**
 * Paint areas in pieces; each `yield` is a good moment to let the page do something else.
 *
 * `place` is {left, top, scale, ratio, size} as `parentOf` gives it; `look` is {fill, fillOpacity, color, weight,
 * opacity}: `fill(id)` returns a colour or null, without `color` there are no borders. Areas of one colour go into one
 * path, but never more than some hundred vertices: a canvas fills a long path slowly.
 */
export function* paintAreas(context, areas, { left, top, scale, ratio, size }, look) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, size * ratio, size * ratio);
  context.setTransform(ratio, 0, 0, ratio, left * ratio, top * ratio);
  const reach = look.weight ?? 0;
  const shown = within(areas, [
    (-left - reach) / scale,
    (-top - reach) / scale,
    (size - left + reach) / scale,
    (size - top + reach) / scale,
  ]);
  if (look.fill) yield* paintFills(context, areas, shown, scale, look);
  if (look.color && look.weight) yield* paintBorders(context, areas, shown, scale, look);
}

function* paintFills(context, areas, shown, scale, { fill, fillOpacity }) {
  const groups = new Map();
  for (const n of shown) {
    const colour = fill(areas.ids[n]);
    if (!colour) continue;
    if (!groups.has(colour)) groups.set(colour, []);
    groups.get(colour).push(n);
  }
  context.globalAlpha = fillOpacity;
  for (const [colour, members] of groups) {
    context.fillStyle = colour;
    yield* inChunks(context, areas, members, scale, () => context.fill("evenodd"));
    context.globalAlpha = fillOpacity;
  }
  context.globalAlpha = 1;
}

function* paintBorders(context, areas, shown, scale, { color, weight, opacity }) {
  context.globalAlpha = opacity;
  context.strokeStyle = color;
  context.lineWidth = weight;
  context.lineJoin = "round";
  yield* inChunks(context, areas, shown, scale, () => context.stroke());
  context.globalAlpha = 1;
}

function* inChunks(context, areas, members, scale, draw) {
  let vertices = 0;
  context.beginPath();
  for (const n of members) {
    vertices += trace(context, areas, n, scale);
    if (vertices < CHUNK) continue;
    draw();
    yield;
    vertices = 0;
    context.beginPath();
  }
  if (vertices) draw();
}

/** Return the id of the area that holds a place in tile units; 0 for none. */
export function areaAt({ ids, first, rings, points, boxes }, x, y) {
  for (let n = 0; n < ids.length; n += 1) {
    if (x < boxes[4 * n] || x > boxes[4 * n + 2] || y < boxes[4 * n + 1] || y > boxes[4 * n + 3]) continue;
    let inside = false;
    for (let ring = first[n]; ring < first[n + 1]; ring += 1) {
      const [from, to] = [rings[ring], rings[ring + 1]];
      for (let i = from, j = to - 1; i < to; j = i, i += 1) {
        const [xi, yi, xj, yj] = [points[2 * i], points[2 * i + 1], points[2 * j], points[2 * j + 1]];
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
      }
    }
    if (inside) return ids[n];
  }
  return 0;
}

/** Return the pixels of an id raster in the colours of a palette: uint32 as a canvas has them, by id; 0 stays clear. */
export function paintIds(ids, palette, out) {
  for (let n = 0; n < ids.length; n += 1) out[n] = palette[ids[n]] ?? 0;
  return out;
}

/** Return a colour "#rrggbb" with an opacity as one number of an ImageData (little-endian: alpha, blue, green, red). */
export function pixelOf(colour, opacity) {
  const value = parseInt(colour.slice(1), 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Whether a polygon or multipolygon of GeoJSON holds a place. */
export function holds({ type, coordinates }, lon, lat) {
  return (type === "MultiPolygon" ? coordinates : [coordinates]).some((rings) => {
    let inside = false;
    for (const ring of rings) {
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
        const [[xi, yi], [xj, yj]] = [ring[i], ring[j]];
        if (yi > lat !== yj > lat && lon < ((xj - xi) * (lat - yi)) / (yj - yi) + xi) inside = !inside;
      }
    }
    return inside;
  });
}
