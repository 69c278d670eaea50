// A level of many areas: the same to the rest of a page as AreaLayer, but drawn tile by tile, in colours by number.

import { AreaGrid } from "./areagrid.js";
import { AreaLayer } from "./areas.js";
import { readValues, tintOf } from "./areavalues.js";
import { load, loadBytes, loadJson } from "./load.js";

const BORDERS_FROM_PX = 5;
const NAMES_FROM_PX = 40;
const MOST_CHIEFS = 400;
const EQUATOR_M_PER_PX = 156_543.034;

export const AreaTileLayer = AreaLayer.extend({
  // Beside those of AreaLayer: `tiles`, `ids`, `ids_to_zoom`, `values`, `count`, `side_m`, `chiefs` (addresses and sizes).
  onAdd(map) {
    this._pane = `areas-${this.options.level}`;
    if (!map.getPane(this._pane)) {
      map.createPane(this._pane).classList.add("pane-areas", `level-${this.options.level}`);
    }
    this._chiefs = new Map();
    this._grid ??= this._makeGrid();
    this._scheme = matchMedia("(prefers-color-scheme: dark)");
    this._onScheme = () => this._restyle();
    this._scheme.addEventListener("change", this._onScheme);
    map.on("zoomend", this._onZoom, this);
    this._onZoom();
  },

  onRemove(map) {
    map.off("zoomend", this._onZoom, this);
    this._scheme.removeEventListener("change", this._onScheme);
    this._grid.remove();
    this._chosen?.remove();
  },

  _makeGrid() {
    const { tiles, ids, ids_to_zoom: idsToZoom } = this.options;
    const grid = new AreaGrid({ pane: this._pane, tiles, ids, idsToZoom, look: (zoom) => this._look(zoom) });
    grid.on("load", () => {
      this.fire("loaded", { count: this.options.count });
      this._askChiefs();
    });
    grid.on("tileerror", ({ error }) => this.fire("failed", { error }));
    return grid;
  },

  select(code) {
    if (code === this.selected) return;
    this.selected = code;
    this._chosen?.remove();
    this._chosen = null;
    if (this._map) this._grid.setOpacity(code ? 0.45 : 1);
    if (!code) return;
    this._find(code).then((feature) => {
      if (this.selected !== code || !feature?.geometry || !this._map) return;
      const style = { ...this._style(feature), fillColor: tintOf(1), interactive: false };
      this._chosen = L.geoJSON(feature, { style: () => style, interactive: false, pane: this._pane }).addTo(this._map);
    });
  },

  /** The exact area by its code, as the API has it; null where it does not come. */
  _find(code) {
    const url = `${this.options.url}&code=${encodeURIComponent(code)}`;
    return load(url).then(
      ({ features }) => features[0] ?? null,
      (error) => {
        this.fire("failed", { error });
        return null;
      },
    );
  },

  async whereIs(code) {
    const feature = await this._find(code);
    return feature?.geometry ? L.geoJSON(feature.geometry).getBounds() : null;
  },

  async shade(_figures, colourOf) {
    const values = readValues(await loadBytes(this.options.values));
    this._values = (id) => colourOf(values[id - 1] ?? 0);
    this._restyle();
  },

  colour(colours) {
    if (!colours) this._values = null;
    this._restyle();
  },

  whenLoaded() {
    return Promise.resolve();
  },

  /** What is labelled now: the areas whose names have room and whose tiles are there. */
  list() {
    if (!this._map || this._sidePx(this._map.getZoom()) < NAMES_FROM_PX) return [];
    return [...this._grid.labels().values()].map(({ id, name, code, lon, lat }) => {
      const chief = this._chiefs.get(code);
      return { id, properties: { code, name: name || code, label: [lon, lat], chief: chief ? { name: chief } : null } };
    });
  },

  /** Return the name of the area at a place as far as the tiles tell; "" where they do not. */
  nameAt(latlng) {
    const id = this._map?.hasLayer(this._grid) ? this._grid.pick(latlng) : 0;
    if (!id) return "";
    const found = this._grid.labels().get(id);
    return found ? found.name || found.code : "";
  },

  /** Ask who answers for what is labelled, where names of chiefs are shown. */
  async _askChiefs() {
    const { chiefs, chiefs_from: from, level } = this.options;
    if (!chiefs || !this._leading || !this._map || this._map.getZoom() < from) return;
    const unknown = this.list().filter(({ properties }) => !this._chiefs.has(properties.code));
    if (!unknown.length || unknown.length > MOST_CHIEFS) return;
    const box = this._map.getBounds().pad(0.1).toBBoxString();
    try {
      const { names } = await loadJson(`${chiefs}?level=${level}&box=${box}`);
      for (const [code, name] of Object.entries(names)) this._chiefs.set(code, name);
      for (const { properties } of unknown)
        if (!this._chiefs.has(properties.code)) this._chiefs.set(properties.code, "");
      this.fire("loaded", { count: this.options.count });
    } catch (error) {
      this.fire("failed", { error });
    }
  },

  _sidePx(zoom) {
    const lat = (this._map.getCenter().lat * Math.PI) / 180;
    return (this.options.side_m * 2 ** zoom) / (EQUATOR_M_PER_PX * Math.cos(lat));
  },

  _look(zoom) {
    const { weight, fill, color, opacity, count } = this.options;
    const style = getComputedStyle(document.documentElement);
    const line = color.startsWith("--") ? style.getPropertyValue(color).trim() : color;
    const leading = this._leading;
    return {
      count,
      fill: leading ? (this._values ?? tintOf) : null,
      fillOpacity: this._values ? 0.6 : fill,
      color: this._sidePx(zoom) >= BORDERS_FROM_PX ? line : "",
      weight,
      opacity: leading ? opacity : opacity * 0.7,
    };
  },

  _onZoom() {
    const map = this._map;
    if (!map) return;
    const [low, high] = this.options.zooms;
    const wanted = this._leading || (map.getZoom() >= low && map.getZoom() <= high);
    if (wanted && !map.hasLayer(this._grid)) map.addLayer(this._grid);
    if (!wanted) this._grid.remove();
  },

  _restyle() {
    this._grid?.restyle();
  },
});
