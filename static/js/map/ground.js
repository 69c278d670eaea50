// The district's own base map: streets, water, parks, buildings, on canvas tiles; what is written on them goes to labels.

import { groundLabels } from "./groundlabels.js";
import { paintGround } from "./groundpaint.js";
import { parentOf, TileStore, TILE_PX } from "./tiles.js";

/** Return a function that turns names of tokens.css into the colours that hold just now. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const known = new Map();
  return (name) => {
    if (!name.startsWith("--")) return name;
    if (!known.has(name)) known.set(name, style.getPropertyValue(name).trim());
    return known.get(name);
  };
}

export const GroundLayer = L.GridLayer.extend({
  options: { pane: "ground", tileSize: TILE_PX, keepBuffer: 1, updateWhenZooming: false, maxZoom: 22, minZoom: 1 },

  /** With `hidden` all layers wait to be switched on. */
  initialize({ url, last_zoom: lastZoom, layers, hidden = false }) {
    L.GridLayer.prototype.initialize.call(this, {});
    this.layers = layers;
    this.lastZoom = lastZoom;
    this.hidden = new Set(hidden ? layers.map(({ code }) => code) : []);
    this.store = new TileStore(url);
  },

  onAdd(map) {
    if (!map.getPane("ground")) map.createPane("ground").classList.add("pane-ground");
    L.GridLayer.prototype.onAdd.call(this, map);
    this._scheme = matchMedia("(prefers-color-scheme: dark)");
    this._onScheme = () => this.redraw();
    this._scheme.addEventListener("change", this._onScheme);
  },

  onRemove(map) {
    this._scheme.removeEventListener("change", this._onScheme);
    L.GridLayer.prototype.onRemove.call(this, map);
  },

  /** Show or hide one of the layers. */
  toggle(code, shown) {
    this.hidden[shown ? "delete" : "add"](code);
    this.redraw();
    this.fire("labels");
  },

  shown() {
    return this.layers.filter(({ code }) => !this.hidden.has(code));
  },

  createTile(coords, done) {
    const canvas = document.createElement("canvas");
    // Between whole zooms tiles are stretched; drawn so much finer they stay sharp.
    const stretch = this._map ? 2 ** (this._map.getZoom() - coords.z) : 1;
    const ratio = (window.devicePixelRatio || 1) * Math.min(1.5, Math.max(1, stretch));
    canvas.width = canvas.height = Math.round(TILE_PX * ratio);
    const place = parentOf(coords, this.lastZoom);
    if (!this.shown().length) {
      setTimeout(() => done(null, canvas));
      return canvas;
    }
    this.store.get(place).then(
      (tile) => {
        // One tile in a frame, so that many at once do not stop the map.
        requestAnimationFrame(() => {
          const context = canvas.getContext("2d");
          paintGround(context, this.shown(), tile, { ...place, ratio }, coords.z, palette());
          done(null, canvas);
          this.fire("labels");
        });
      },
      (error) => done(error, canvas),
    );
    return canvas;
  },

  /** Return what is to be written now, in pixels of the view: {name, second, x, y} or with `letters` along a line. */
  labels(context, font) {
    const map = this._map;
    if (!map) return [];
    const zoom = Math.round(map.getZoom());
    const tiles = [];
    const seen = new Set();
    for (const { coords } of Object.values(this._tiles ?? {})) {
      const place = parentOf(coords, this.lastZoom);
      const key = `${place.z}/${place.x}/${place.y}`;
      const tile = coords.z === this._tileZoom && !seen.has(key) ? this.store.peek(place) : null;
      if (!tile) continue;
      seen.add(key);
      const side = TILE_PX * 2 ** (map.getZoom() - 1 - place.z);
      const origin = map.getPixelBounds().min;
      tiles.push({ tile, left: place.x * side - origin.x, top: place.y * side - origin.y, side });
    }
    return groundLabels(this.shown(), tiles, { zoom, size: map.getSize(), context, font });
  },
});
