// Cases as one list of points, grouped in the page: for maps of a few hundred, and for files without a server.

import { cluster } from "./cluster.js";
import { load } from "./load.js";

const CELL = 64;
const PILE_DEGREES = 1e-6;

/** Return what the points of one cell are drawn as: the same values as a tile of the server has. */
export function itemOf({ points }, zoom, unproject) {
  const [first] = points;
  if (points.length === 1) return { ...first.point, count: 1, overdue: first.point.overdue ? 1 : 0, pile: false };
  const mean = unproject(
    points.reduce((sum, p) => sum + p.x, 0) / points.length,
    points.reduce((sum, p) => sum + p.y, 0) / points.length,
    zoom,
  );
  const [lons, lats] = [points.map((p) => p.point.lon), points.map((p) => p.point.lat)];
  const [west, south, east, north] = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
  return {
    ...mean,
    count: points.length,
    overdue: points.filter((p) => p.point.overdue).length,
    box: [west - PILE_DEGREES, south - PILE_DEGREES, east + PILE_DEGREES, north + PILE_DEGREES],
    pile: east - west <= PILE_DEGREES && north - south <= PILE_DEGREES,
  };
}

export class CasePoints {
  constructor(url) {
    this.url = url;
    this.onChange = () => {};
    this.points = null;
    this.last = { zoom: null, items: [] };
  }

  /** Return the items of a view now; those still to come are told of by `onChange`. */
  items(map) {
    this.loading ??= load(this.url).then(
      ({ cases }) => {
        this.points = cases;
        this.onChange();
      },
      (error) => this.onChange(error),
    );
    const zoom = Math.round(map.getZoom());
    if (!this.points) return { items: [], whole: false };
    if (this.last.zoom !== zoom) {
      const placed = this.points.map((point) => {
        const { x, y } = map.project([point.lat, point.lon], zoom);
        return { x, y, point };
      });
      const unproject = (x, y) => {
        const { lat, lng } = map.unproject([x, y], zoom);
        return { lat, lon: lng };
      };
      this.last = { zoom, items: cluster(placed, CELL).map((group) => itemOf(group, zoom, unproject)) };
    }
    return { items: this.last.items, whole: true };
  }

  /** Ask anew. */
  expire() {
    this.loading = null;
    this.last = { zoom: null, items: [] };
  }

  stop() {}
}
