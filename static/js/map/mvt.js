// Reads Mapbox vector tiles as the server writes them: polygons with ids only, and points with a name and a code. Pure.

const decoder = new TextDecoder();

/** The bytes of a message, read field by field. */
class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }

  varint() {
    const { bytes } = this;
    let byte = bytes[this.at];
    if (byte < 128 && this.at < this.end) {
      this.at += 1;
      return byte;
    }
    let value = 0;
    let shift = 1;
    do {
      if (this.at >= this.end) throw new Error("a tile ends too early");
      byte = bytes[this.at++];
      value += (byte & 127) * shift;
      shift *= 128;
    } while (byte > 127);
    return value;
  }

  /** Go to the next field; returns its number, 0 at the end. A field of bytes has `from` and `to`, another `value`. */
  next() {
    if (this.at >= this.end) return 0;
    const key = this.varint();
    const wire = key & 7;
    if (wire === 0) this.value = this.varint();
    else if (wire === 2) {
      const length = this.varint();
      [this.from, this.to] = [this.at, this.at + length];
      if (this.to > this.end) throw new Error("a tile ends too early");
      this.at = this.to;
    } else throw new Error(`a tile has a field of kind ${wire}`);
    return key >> 3;
  }

  inner() {
    return new Reader(this.bytes, this.from, this.to);
  }

  text() {
    return decoder.decode(this.bytes.subarray(this.from, this.to));
  }
}

/**
 * Return {areas, labels} of a tile. `areas` holds typed arrays: `ids`, `first` (the first ring of each, one more at
 * the end), `rings` (the first vertex of each, one more), `points` (x, y in units of the extent), `boxes` (x0, y0,
 * x1, y1 of each area). `labels` are {id, x, y, name, code}.
 */
export function decodeTile(buffer) {
  const reader = new Reader(new Uint8Array(buffer));
  let [areas, labels] = [null, []];
  for (let field = reader.next(); field; field = reader.next()) {
    if (field !== 3) continue;
    const layer = readLayer(reader.inner());
    if (layer.name === "areas") areas = readAreas(layer.features);
    else if (layer.name === "labels") labels = readLabels(layer);
  }
  return { areas: areas ?? readAreas([]), labels };
}

function readLayer(reader) {
  const layer = { name: "", features: [], keys: [], values: [] };
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) layer.name = reader.text();
    else if (field === 2) layer.features.push(reader.inner());
    else if (field === 3) layer.keys.push(reader.text());
    else if (field === 4) {
      const value = reader.inner();
      layer.values.push(value.next() === 1 ? value.text() : "");
    }
  }
  return layer;
}

function readFeature(reader) {
  const feature = { id: 0, tags: null, geometry: null };
  for (let field = reader.next(); field; field = reader.next()) {
    if (field === 1) feature.id = reader.value;
    else if (field === 2) feature.tags = reader.inner();
    else if (field === 4) feature.geometry = reader.inner();
  }
  return feature;
}

function readLabels({ features, keys, values }) {
  return features.map((one) => {
    const { id, tags, geometry } = readFeature(one);
    const label = { id, x: 0, y: 0, name: "", code: "" };
    while (tags && tags.at < tags.end) label[keys[tags.varint()]] = values[tags.varint()];
    geometry.varint(); // one MoveTo
    label.x = unzigzag(geometry.varint());
    label.y = unzigzag(geometry.varint());
    return label;
  });
}

function readAreas(features) {
  const bytes = features.reduce((sum, { at, end }) => sum + end - at, 0);
  const points = new Int16Array(bytes); // a coordinate takes at least a byte
  const [ids, first] = [new Uint32Array(features.length), new Uint32Array(features.length + 1)];
  const boxes = new Int16Array(features.length * 4);
  const rings = [];
  let at = 0;
  features.forEach((one, n) => {
    const { id, geometry } = readFeature(one);
    ids[n] = id;
    first[n] = rings.length;
    let [x, y, x0, y0, x1, y1] = [0, 0, 32767, 32767, -32768, -32768];
    while (geometry && geometry.at < geometry.end) {
      const command = geometry.varint();
      const kind = command & 7;
      if (kind === 7) continue; // ClosePath
      if (kind === 1) rings.push(at / 2);
      for (let left = command >> 3; left > 0; left -= 1) {
        points[at++] = x += unzigzag(geometry.varint());
        points[at++] = y += unzigzag(geometry.varint());
        if (x < x0) x0 = x;
        if (x > x1) x1 = x;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
      }
    }
    boxes.set([x0, y0, x1, y1], 4 * n);
  });
  first[features.length] = rings.length;
  rings.push(at / 2);
  return { ids, first, rings: Uint32Array.from(rings), points: points.slice(0, at), boxes };
}

function unzigzag(value) {
  return (value >>> 1) ^ -(value & 1);
}
