// Puts points that lie close together on the screen into one circle. Pure: no map, no page.

/**
 * Group points by square cells of the projected plane, so that groups stay the same while the map is moved.
 * `points` have x and y in pixels of the present zoom; returns {x, y, points} with the mean position.
 */
export function cluster(points, cell) {
  const cells = new Map();
  for (const point of points) {
    const key = `${Math.floor(point.x / cell)}:${Math.floor(point.y / cell)}`;
    const found = cells.get(key);
    if (found) found.push(point);
    else cells.set(key, [point]);
  }
  return [...cells.values()].map((members) => ({
    x: members.reduce((sum, p) => sum + p.x, 0) / members.length,
    y: members.reduce((sum, p) => sum + p.y, 0) / members.length,
    points: members,
  }));
}

/** Radius in pixels of the circle for `count` points: grows slowly, holds its number. */
export function radius(count) {
  return Math.min(28, 12 + 2 * Math.log2(count));
}
