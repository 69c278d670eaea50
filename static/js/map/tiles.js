// Data tiles by address: which data tile serves a drawn one, fetched once and kept while it is among the latest.

import { load } from "./load.js";

export const EXTENT = 4096;
export const TILE_PX = 512;

/** Return the data tile of a drawn 512 px tile at map zoom z, and how it is placed: {z, x, y, scale, left, top}. */
export function parentOf({ z, x, y }, lastZoom) {
  const own = z - 1;
  const back = Math.max(0, own - lastZoom);
  const parent = { z: own - back, x: x >> back, y: y >> back };
  const scale = (TILE_PX * 2 ** back) / EXTENT;
  return { ...parent, scale, left: (parent.x * 2 ** back - x) * TILE_PX, top: (parent.y * 2 ** back - y) * TILE_PX };
}

/** Turn steps into coordinates: [x0, y0, dx, dy, ...] becomes [x0, y0, x1, y1, ...]. */
export function undelta(steps) {
  const points = new Array(steps.length);
  let [x, y] = [0, 0];
  for (let i = 0; i < steps.length; i += 2) {
    points[i] = x += steps[i];
    points[i + 1] = y += steps[i + 1];
  }
  return points;
}

/** Return the features of a tile by layer: {shape, kind, name, households, lines}. */
export function decode(tile) {
  const layers = new Map();
  for (const { code, kinds, features } of tile.layers) {
    const read = ([shape, kind, name, households, lines]) => {
      return { shape, kind: kinds[kind], name, households, lines: lines.map(undelta) };
    };
    layers.set(code, features.map(read));
  }
  return layers;
}

export class TileStore {
  /** `read` makes a tile of what `fetch` answers. */
  constructor(url, { most = 96, fetch = load, read = decode } = {}) {
    Object.assign(this, { url, most, fetch, read });
    this.kept = new Map();
  }

  /** Return a promise of a decoded tile. */
  get({ z, x, y }) {
    const key = `${z}/${x}/${y}`;
    let found = this.kept.get(key);
    if (found) this.kept.delete(key);
    else {
      found = this.fetch(this.url.replace("{z}", z).replace("{x}", x).replace("{y}", y)).then(this.read);
      found.then(
        (layers) => (found.layers = layers),
        () => this.kept.delete(key),
      );
    }
    this.kept.set(key, found);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value);
    return found;
  }

  /** Return a tile that is there already, or null. */
  peek({ z, x, y }) {
    return this.kept.get(`${z}/${x}/${y}`)?.layers ?? null;
  }
}
