// Gives neighbouring areas different tints. Pure: GeoJSON features in, numbers out.

/** Quiet hues without a meaning; told apart by lightness as well. */
export const TINTS = ["#4f83b5", "#c3a04f", "#53a095", "#8d76aa", "#a8846b", "#87995a"];

/** Return, per feature, the number of its tint: no two features that share a vertex have the same where 6 suffice. */
export function tints(features) {
  const at = new Map();
  const neighbours = features.map(() => new Set());
  features.forEach((feature, index) => {
    for (const vertex of vertices(feature.geometry)) {
      const key = `${vertex[0]},${vertex[1]}`;
      const others = at.get(key);
      if (!others) at.set(key, new Set([index]));
      else {
        for (const other of others) {
          if (other !== index) {
            neighbours[index].add(other);
            neighbours[other].add(index);
          }
        }
        others.add(index);
      }
    }
  });
  const chosen = new Array(features.length).fill(-1);
  features.forEach((_, index) => {
    const taken = new Set([...neighbours[index]].map((other) => chosen[other]));
    const free = TINTS.findIndex((_tint, tint) => !taken.has((tint + index) % TINTS.length));
    chosen[index] = ((free < 0 ? 0 : free) + index) % TINTS.length;
  });
  return chosen;
}

export function* vertices(geometry) {
  if (!geometry) return;
  const polygons = geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
  for (const rings of polygons) for (const ring of rings) yield* ring;
}
