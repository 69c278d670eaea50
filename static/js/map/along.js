// Lays the letters of a street's name along the street. Pure: polylines in pixels in, letters with places out.

/** Return the lengths from the start of a polyline [x0, y0, x1, y1, ...] to each of its points. */
export function lengths(line) {
  const found = [0];
  for (let i = 2; i < line.length; i += 2) {
    found.push(found[found.length - 1] + Math.hypot(line[i] - line[i - 2], line[i + 1] - line[i - 1]));
  }
  return found;
}

/** Return {x, y, angle} at a length along a polyline. */
export function pointAt(line, upto, at) {
  let i = 1;
  while (i < upto.length - 1 && upto[i] < at) i += 1;
  const span = upto[i] - upto[i - 1] || 1;
  const share = (at - upto[i - 1]) / span;
  const [x0, y0, x1, y1] = [line[2 * i - 2], line[2 * i - 1], line[2 * i], line[2 * i + 1]];
  return { x: x0 + share * (x1 - x0), y: y0 + share * (y1 - y0), angle: Math.atan2(y1 - y0, x1 - x0) };
}

const UPRIGHT = /[\u2e80-\u9fff\uf900-\ufaff]/;
const SHARPEST = Math.PI / 5;

/**
 * Return where each letter stands along the middle of a line, or null where it is too short or bends too sharply.
 * `widths` are those of the letters. Letters are never upside down; Chinese ones stand upright along steep streets.
 */
export function alongLine(line, letters, widths, { gap = 2 } = {}) {
  const upto = lengths(line);
  const total = upto[upto.length - 1];
  const needed = widths.reduce((sum, width) => sum + width + gap, -gap);
  if (total < needed + 12) return null;
  let at = (total - needed) / 2;
  const [first, last] = [pointAt(line, upto, at), pointAt(line, upto, at + needed)];
  const [dx, dy] = [last.x - first.x, last.y - first.y];
  const steep = Math.abs(dy) > 1.2 * Math.abs(dx) && letters.every((letter) => UPRIGHT.test(letter));
  const backward = steep ? dy < 0 : dx < 0;
  const placed = [];
  let before = null;
  for (let i = 0; i < letters.length; i += 1) {
    const n = backward ? letters.length - 1 - i : i;
    const spot = pointAt(line, upto, at + widths[n] / 2);
    if (before !== null && turn(spot.angle, before) > SHARPEST) return null;
    before = spot.angle;
    let angle = backward ? spot.angle + Math.PI : spot.angle;
    if (steep) angle -= Math.PI / 2;
    placed.push({ letter: letters[n], x: spot.x, y: spot.y, angle });
    at += widths[n] + gap;
  }
  return placed;
}

function turn(a, b) {
  const off = Math.abs(a - b) % (2 * Math.PI);
  return Math.min(off, 2 * Math.PI - off);
}
