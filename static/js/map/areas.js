// Areas of one level, drawn on the Leaflet canvas from one address; fetched when first shown.

import { holds } from "./areapaint.js";
import { load } from "./load.js";
import { TINTS, tints } from "./tints.js";

export const AreaLayer = L.Layer.extend({
  options: {
    url: "",
    level: "",
    leads_from: 0,
    zooms: [0, 22],
    color: "--line-2",
    weight: 1.5,
    opacity: 0.8,
    fill: 0.14,
  },

  initialize(options) {
    L.setOptions(this, options);
  },

  onAdd(map) {
    const pane = `areas-${this.options.level}`;
    if (!map.getPane(pane)) map.createPane(pane).classList.add("pane-areas", `level-${this.options.level}`);
    this._renderer ??= L.canvas({ pane, padding: 0.3 });
    map.on("zoomend", this._onZoom, this);
    this._onZoom();
  },

  onRemove(map) {
    map.off("zoomend", this._onZoom, this);
    this._shapes?.remove();
  },

  /** Whether this level is the one in front: filled, labelled, answering clicks. */
  lead(leading) {
    this._leading = leading;
    this._onZoom();
    this._restyle();
  },

  /** Outline one area and dim the others; null ends it. */
  select(code) {
    this.selected = code;
    this._restyle();
  },

  /** Show areas in the colours of values by code: {code: colour}; null goes back to tints. */
  colour(colours) {
    this._colours = colours;
    this._restyle();
  },

  /** A method, no getter: Leaflet's `extend` would read a getter once and keep its answer. */
  list() {
    return this._data?.features ?? [];
  },

  find(code) {
    return this.list().find((feature) => feature.properties.code === code);
  },

  boundsOf(code) {
    const feature = this.find(code);
    return feature?.geometry ? L.geoJSON(feature.geometry).getBounds() : null;
  },

  /** Return a promise of the box of an area; null where there is none, or it has no border. */
  whereIs(code) {
    return this.whenLoaded().then(() => this.boundsOf(code));
  },

  /** Colour areas by their figures, which `colourOf` turns into colours. */
  async shade(figuresUrl, colourOf) {
    const { open } = await load(`${figuresUrl}?level=${this.options.level}`);
    await this.whenLoaded();
    const entries = this.list().map(({ properties: { code } }) => [code, colourOf(open[code] ?? 0)]);
    this.colour(Object.fromEntries(entries));
  },

  /** Return the name of the area at a place; "" for none. */
  nameAt({ lng, lat }) {
    if (!this._map || !this._shapes || !this._map.hasLayer(this._shapes)) return "";
    const found = this.list().find(({ geometry }) => geometry && holds(geometry, lng, lat));
    return found ? found.properties.name || found.properties.code : "";
  },

  whenLoaded() {
    this._loading ??= load(this.options.url).then(
      (data) => {
        this._data = data;
        const chosen = tints(data.features);
        data.features.forEach((feature, index) => (feature.tint = chosen[index]));
        this._shapes = L.geoJSON(data, {
          interactive: false,
          style: (feature) => this._style(feature),
          renderer: this._renderer,
          pane: this._renderer.options.pane,
        });
        this.fire("loaded", { count: data.features.length });
        this._onZoom();
      },
      (error) => {
        this._loading = null;
        this.fire("failed", { error });
      },
    );
    return this._loading;
  },

  _onZoom() {
    const map = this._map;
    if (!map) return;
    const [low, high] = this.options.zooms;
    const wanted = this._leading || (map.getZoom() >= low && map.getZoom() <= high);
    if (wanted && !this._shapes) this.whenLoaded();
    if (!this._shapes) return;
    if (wanted && !map.hasLayer(this._shapes)) {
      this._restyle();
      map.addLayer(this._shapes);
    }
    if (!wanted) this._shapes.remove();
  },

  _restyle() {
    this._shapes?.setStyle((feature) => this._style(feature));
  },

  _style(feature) {
    const { weight, fill, color, opacity } = this.options;
    const code = feature.properties.code;
    const ink = getComputedStyle(document.documentElement);
    const line = color.startsWith("--") ? ink.getPropertyValue(color).trim() : color;
    const base = { weight, color: line, opacity: opacity * 0.7, fill: false };
    if (!this._leading) return base;
    const tint = this._colours ? (this._colours[code] ?? "transparent") : TINTS[feature.tint];
    const filled = { ...base, fill: true, fillColor: tint, fillOpacity: this._colours ? 0.6 : fill, opacity };
    if (!this.selected) return filled;
    if (this.selected !== code) return { ...filled, fillOpacity: 0.04, opacity: 0.4 };
    return {
      ...filled,
      weight: Math.max(3, weight + 1.5),
      color: ink.getPropertyValue("--accent").trim(),
      opacity: 1,
      fillOpacity: Math.max(0.2, fill),
    };
  },
});
