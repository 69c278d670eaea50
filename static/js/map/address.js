// The state of a map in the address, so that a link opens the same view. Pure but for the last function.

/** Read {zoom, lat, lon} from "15/38.91400/121.61500"; null when it is not one. */
export function parsePlace(text) {
  const parts = (text ?? "").split("/").map(Number);
  if (parts.length !== 3 || parts.some((part) => !Number.isFinite(part))) return null;
  const [zoom, lat, lon] = parts;
  if (zoom < 0 || zoom > 22 || Math.abs(lat) > 90 || Math.abs(lon) > 180) return null;
  return { zoom, lat, lon };
}

/** Read [west, south, east, north] from "121.1,41.1,121.2,41.2"; null when it is not one. */
export function readBox(text) {
  const parts = (text ?? "").split(",").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isFinite(part))) return null;
  const [west, south, east, north] = parts;
  return west < east && south < north && Math.abs(west) <= 180 && Math.abs(south) <= 90 ? parts : null;
}

export function formatPlace({ zoom, lat, lon }) {
  return `${zoom}/${lat.toFixed(5)}/${lon.toFixed(5)}`;
}

/** Return the search text with some values changed; null or "" takes one away. */
export function withState(search, changes) {
  const values = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "" || value === undefined) values.delete(name);
    else values.set(name, String(value));
  }
  // Slashes, colons and commas are readable and allowed in a query.
  const text = values.toString().replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
  return text ? `?${text}` : "";
}

export function remember(changes) {
  const search = withState(location.search, changes);
  history.replaceState(history.state, "", location.pathname + search + location.hash);
}
