// The circles in which several cases are drawn.

/** Radius in pixels of the circle for `count` cases: grows slowly, holds its number. */
export function radius(count) {
  return Math.min(28, 12 + 2 * Math.log2(count));
}
