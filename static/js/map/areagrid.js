// Areas of one level on canvas tiles: borders and fills from vector tiles, or from id rasters where areas are tiny.

import { areaAt, paintAreas, paintIds, pixelOf } from "./areapaint.js";
import { FrameQueue } from "./frames.js";
import { loadBytes } from "./load.js";
import { decodeTile } from "./mvt.js";
import { EXTENT, parentOf, TileStore, TILE_PX } from "./tiles.js";

const LAST_ZOOM = 16;
const IDS_PX = 256;
const MOST_VECTORS = 40;
const MOST_RASTERS = 80;
const queue = new FrameQueue();

const readIds = (buffer) => new Uint32Array(buffer.byteLength ? buffer : IDS_PX * IDS_PX);

export const AreaGrid = L.GridLayer.extend({
  options: { tileSize: TILE_PX, keepBuffer: 1, updateWhenZooming: false, maxZoom: 22, minZoom: 1 },

  /** `look()` returns {fill, fillOpacity, color, weight, opacity, count} as they hold now; `tiles`, `ids` are addresses. */
  initialize({ pane, tiles, ids, idsToZoom, look }) {
    L.GridLayer.prototype.initialize.call(this, { pane });
    Object.assign(this, { idsToZoom, look, placed: new Map() });
    this.vectors = new TileStore(tiles, { most: MOST_VECTORS, fetch: loadBytes, read: decodeTile });
    this.rasters = new TileStore(ids, { most: MOST_RASTERS, fetch: loadBytes, read: readIds });
    this.on("tileunload", ({ tile }) => {
      queue.drop(tile);
      this.placed.delete(tile);
      this._labels = null;
    });
  },

  isRaster(zoom) {
    return zoom <= this.idsToZoom;
  },

  createTile(coords, done) {
    const canvas = document.createElement("canvas");
    const raster = this.isRaster(coords.z);
    (raster ? this.loadRasters(coords) : this.loadVector(coords, canvas)).then(
      (held) => {
        this.placed.set(canvas, { ...held, coords });
        this._labels = null;
        this.paint(canvas, () => done(null, canvas));
      },
      (error) => done(error, canvas),
    );
    return canvas;
  },

  async loadVector(coords, canvas) {
    const place = parentOf(coords, LAST_ZOOM);
    const stretch = this._map ? 2 ** (this._map.getZoom() - coords.z) : 1;
    const ratio = (window.devicePixelRatio || 1) * Math.min(1.5, Math.max(1, stretch));
    canvas.width = canvas.height = Math.round(TILE_PX * ratio);
    const { areas, labels } = await this.vectors.get(place);
    return { areas, labels, place: { ...place, ratio, size: TILE_PX } };
  },

  /** An id raster is a tile of 256 px: four of them make one of ours. */
  async loadRasters({ z, x, y }) {
    const four = [0, 1, 2, 3].map((n) => ({ z, x: 2 * x + (n & 1), y: 2 * y + (n >> 1) }));
    return { four: await Promise.all(four.map((tile) => this.rasters.get(tile))) };
  },

  paint(canvas, done) {
    const held = this.placed.get(canvas);
    if (!held) return;
    if (held.four) queue.add(canvas, this.paintRasters(canvas, held.four), done);
    else queue.add(canvas, paintAreas(canvas.getContext("2d"), held.areas, held.place, this.look(held.coords.z)), done);
  },

  *paintRasters(canvas, four) {
    if (canvas.width !== TILE_PX) canvas.width = canvas.height = TILE_PX;
    const context = canvas.getContext("2d");
    const palette = this.palette();
    for (let n = 0; n < 4; n += 1) {
      const image = context.createImageData(IDS_PX, IDS_PX);
      paintIds(four[n], palette, new Uint32Array(image.data.buffer));
      context.putImageData(image, (n & 1) * IDS_PX, (n >> 1) * IDS_PX);
      yield;
    }
  },

  /** The colour of each area as a pixel, by its number; made once for a look. */
  palette() {
    if (!this._palette) {
      const { fill, fillOpacity, count } = this.look(this.idsToZoom);
      this._palette = new Uint32Array(count + 1);
      for (let id = 1; fill && id <= count; id += 1) {
        const colour = fill(id);
        if (colour) this._palette[id] = pixelOf(colour, fillOpacity);
      }
    }
    return this._palette;
  },

  /** Paint what is there in the look that holds now; nothing is fetched. What is in view comes first. */
  restyle() {
    this._palette = null;
    const zoom = this._tileZoom;
    const order = [...this.placed].sort(([, a], [, b]) => Number(b.coords.z === zoom) - Number(a.coords.z === zoom));
    for (const [canvas] of order) this.paint(canvas, () => {});
  },

  /** Return the number of the area at a place, as the tiles have it; 0 for none, and where no tile is there yet. */
  pick(latlng) {
    if (!this._map || this._tileZoom === undefined) return 0;
    const at = this._map.project(latlng, this._tileZoom);
    const [x, y] = [Math.floor(at.x / TILE_PX), Math.floor(at.y / TILE_PX)];
    const found = [...this.placed.values()].find(
      ({ coords }) => coords.z === this._tileZoom && coords.x === x && coords.y === y,
    );
    if (!found) return 0;
    const [px, py] = [at.x - x * TILE_PX, at.y - y * TILE_PX];
    if (found.four) {
      const ids = found.four[Number(px >= IDS_PX) + 2 * Number(py >= IDS_PX)];
      return ids[Math.floor(py % IDS_PX) * IDS_PX + Math.floor(px % IDS_PX)];
    }
    const { left, top, scale } = found.place;
    return areaAt(found.areas, (px - left) / scale, (py - top) / scale);
  },

  /** Return the labels of the tiles that are there by id: {id, name, code, lon, lat}; made once for these tiles. */
  labels() {
    if (this._labels?.zoom === this._tileZoom) return this._labels;
    const seen = new Map();
    seen.zoom = this._tileZoom;
    for (const { labels, place, coords } of this.placed.values()) {
      if (!labels || coords.z !== this._tileZoom) continue;
      const side = EXTENT * 2 ** place.z;
      for (const { id, name, code, x, y } of labels) {
        if (seen.has(id)) continue;
        const [u, v] = [(place.x * EXTENT + x) / side, (place.y * EXTENT + y) / side];
        const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * v))) * 180) / Math.PI;
        seen.set(id, { id, name, code, lon: u * 360 - 180, lat });
      }
    }
    this._labels = seen;
    return seen;
  },
});
