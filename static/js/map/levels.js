// Which level stands in front at a zoom, and its labels. The first part is pure.

/** Return the level that leads at `zoom`: the last in drawing order that may; one chosen by the reader wins. */
export function leadingLevel(layers, zoom, chosen) {
  if (chosen && layers.some((layer) => layer.level === chosen)) return chosen;
  const found = [...layers].reverse().find(({ leads_from: from }) => zoom >= from) ?? layers[0];
  return found?.level ?? null;
}

/** Return the labels of features, the chosen one first; with `chiefs` the name of who answers stands below. */
export function labelsOf(features, { chiefs = false, strong = null } = {}) {
  const labels = features
    .filter(({ properties }) => properties.label)
    .map(({ properties }) => ({
      lon: properties.label[0],
      lat: properties.label[1],
      name: properties.name,
      second: (chiefs && properties.chief?.name) || "",
      strong: properties.code === strong,
    }));
  return labels.sort((a, b) => Number(b.strong) - Number(a.strong));
}

/** Keep the right level in front of a map, whatever its zoom. */
export class LevelSwitch {
  constructor(map, { chosen = null } = {}) {
    this.map = map;
    this.chosen = chosen;
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

  relabel() {
    const { layer } = this;
    if (!this.map.mapsvc.labels) return;
    if (!layer) return this.map.mapsvc.labels.show([]);
    const chiefs = this.map.getZoom() >= (layer.options.chiefs_from ?? 99);
    this.map.mapsvc.labels.show(labelsOf(layer.list(), { chiefs, strong: layer.selected }));
  }
}
