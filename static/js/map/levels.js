// Which level stands in front at a zoom, and its labels. The first part is pure.

/** Return the level that leads at `zoom`: the last in drawing order that may; one chosen by the reader wins. */
export function leadingLevel(layers, zoom, chosen) {
  if (chosen && layers.some((layer) => layer.level === chosen)) return chosen;
  const found = [...layers].reverse().find(({ leads_from: from }) => zoom >= from) ?? layers[0];
  return found?.level ?? null;
}

/** Return the labels of features, the largest areas first; `seconds` holds second lines by code. */
export function labelsOf(features, seconds = {}, strong = null) {
  return features
    .filter((feature) => feature.properties.label_lon !== undefined)
    .map(({ properties }) => ({
      lon: properties.label_lon,
      lat: properties.label_lat,
      name: properties.name,
      second: seconds[properties.code] ?? "",
      strong: properties.code === strong,
      size: properties.area_m2 ?? 0,
    }))
    .sort((a, b) => Number(b.strong) - Number(a.strong) || b.size - a.size);
}

/** Keep the right level in front of a map, whatever its zoom. */
export class LevelSwitch {
  constructor(map, { chosen = null, seconds = () => ({}) } = {}) {
    this.map = map;
    this.chosen = chosen;
    this.seconds = seconds;
    this.leading = undefined;
    this.onChange = () => {};
    map.on("zoomend", () => this.update());
    for (const layer of map.mapsvc.areas) layer.on("loaded", () => this.relabel());
  }

  get layer() {
    return this.map.mapsvc.areas.find((layer) => layer.options.level === this.leading);
  }

  choose(level) {
    this.chosen = level;
    this.update();
  }

  update() {
    const layers = this.map.mapsvc.areas;
    const leading = leadingLevel(
      layers.map((layer) => layer.options),
      this.map.getZoom(),
      this.chosen,
    );
    if (leading !== this.leading) {
      this.leading = leading;
      for (const layer of layers) layer.lead(layer.options.level === leading);
      this.onChange(leading);
    }
    this.relabel();
  }

  async relabel() {
    const { layer } = this;
    if (!this.map.mapsvc.labels) return;
    if (!layer) return this.map.mapsvc.labels.show([]);
    const seconds = this.map.getZoom() >= (layer.options.second_from ?? 99) ? await this.seconds(this.leading) : {};
    if (layer === this.layer) this.map.mapsvc.labels.show(labelsOf(layer.features, seconds, layer._selected));
  }
}
