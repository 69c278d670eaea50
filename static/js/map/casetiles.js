// Cases by tiles: the server groups them, so that a million are as quick as a hundred. A tile is asked for when in view.

import { loadJson } from "./load.js";

const TILE_PX = 256;
const LAST_ZOOM = 22;
const FRESH_MS = 60_000;
const RETRY_MS = 5_000;

/** Return the tiles {z, x, y} that a box of pixels at zoom z touches; columns beyond the edge of the world are none. */
export function tilesOver({ min, max }, z) {
  const last = 2 ** z - 1;
  const range = (from, to) => [Math.max(0, Math.floor(from / TILE_PX)), Math.min(last, Math.floor(to / TILE_PX))];
  const [[west, east], [north, south]] = [range(min.x, max.x), range(min.y, max.y)];
  const found = [];
  for (let y = north; y <= south; y += 1) for (let x = west; x <= east; x += 1) found.push({ z, x, y });
  return found;
}

/** Return what a tile holds as items with a count; a case alone has an id and a state. */
export function itemsOf({ clusters, cases }) {
  const alone = cases.map((one) => ({ ...one, count: 1, overdue: one.overdue ? 1 : 0, pile: false }));
  return [...clusters, ...alone];
}

export class CaseTiles {
  /** `url` has {z}, {x} and {y}. */
  constructor(url, { most = 300, fetch = loadJson, now = Date.now } = {}) {
    Object.assign(this, { url, most, fetch, now });
    this.onChange = () => {};
    this.kept = new Map();
    this.before = [];
  }

  /** Return the items of a view; until all tiles of a new zoom are there those of the last one. */
  items(map, margin) {
    const z = Math.max(0, Math.min(LAST_ZOOM, Math.round(map.getZoom())));
    const { min, max } = map.getPixelBounds();
    const scale = map.getZoomScale(z, map.getZoom());
    const view = {
      min: { x: (min.x - margin) * scale, y: (min.y - margin) * scale },
      max: { x: (max.x + margin) * scale, y: (max.y + margin) * scale },
    };
    const tiles = tilesOver(view, z);
    const found = tiles.map((tile) => this.get(tile));
    this.drop(new Set(tiles.map(keyOf)));
    const whole = found.every((one) => one.settled);
    const sameZoom = this.before.z === z;
    if (whole || sameZoom || !this.before.length) {
      this.before = found.flatMap((one) => one.items);
      this.before.z = z;
    }
    return { items: this.before, whole };
  }

  /** Return a tile that is kept, asking for it where it is not there or no longer fresh. */
  get(tile) {
    const key = keyOf(tile);
    let one = this.kept.get(key);
    if (one) this.kept.delete(key);
    else one = { items: [], settled: false, at: -Infinity, pending: null };
    this.kept.set(key, one);
    if (!one.pending && this.now() - one.at > FRESH_MS) this.ask(tile, one);
    return one;
  }

  ask(tile, one) {
    const controller = new AbortController();
    one.pending = controller;
    const url = this.url.replace("{z}", tile.z).replace("{x}", tile.x).replace("{y}", tile.y);
    this.fetch(url, { signal: controller.signal }).then(
      (answer) => this.settle(one, controller, { items: itemsOf(answer), at: this.now() }),
      (error) => {
        const at = this.now() - FRESH_MS + RETRY_MS;
        if (error.name !== "AbortError") this.settle(one, controller, { at }, error);
      },
    );
  }

  /** What failed keeps what it showed and is asked for again by a later move. */
  settle(one, controller, values, error = null) {
    if (one.pending !== controller) return;
    Object.assign(one, values, { settled: true, pending: null });
    this.onChange(error);
  }

  /** Stop asking for what has left the view, and forget what was seen longest ago. */
  drop(wanted) {
    for (const [key, one] of this.kept) {
      if (one.pending && !wanted.has(key)) {
        one.pending.abort();
        one.pending = null;
        if (!one.settled) this.kept.delete(key);
      }
    }
    for (const key of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      if (!wanted.has(key)) this.kept.delete(key);
    }
  }

  /** Ask for everything in view anew. */
  expire() {
    for (const one of this.kept.values()) one.at = -Infinity;
  }

  stop() {
    this.drop(new Set());
  }
}

function keyOf({ z, x, y }) {
  return `${z}/${x}/${y}`;
}
