// WGS 84 to GCJ-02, for moving a base map (never the data). The published formula; degrees in, degrees out.

const A = 6378245.0;
const EE = 0.00669342162296594323;

function shiftLat(x, y) {
  const s = Math.sin;
  const p = Math.PI;
  let v = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  v += ((20 * s(6 * x * p) + 20 * s(2 * x * p)) * 2) / 3;
  v += ((20 * s(y * p) + 40 * s((y / 3) * p)) * 2) / 3;
  return v + ((160 * s((y / 12) * p) + 320 * s((y * p) / 30)) * 2) / 3;
}

function shiftLon(x, y) {
  const s = Math.sin;
  const p = Math.PI;
  let v = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  v += ((20 * s(6 * x * p) + 20 * s(2 * x * p)) * 2) / 3;
  v += ((20 * s(x * p) + 40 * s((x / 3) * p)) * 2) / 3;
  return v + ((150 * s((x / 12) * p) + 300 * s((x / 30) * p)) * 2) / 3;
}

/** Return {lat, lon} in GCJ-02. Callers use it inside the mainland only. */
export function toGcj02(lat, lon) {
  const x = lon - 105;
  const y = lat - 35;
  const phi = (lat / 180) * Math.PI;
  const m = 1 - EE * Math.sin(phi) ** 2;
  const dLat = (shiftLat(x, y) * 180) / (((A * (1 - EE)) / (m * Math.sqrt(m))) * Math.PI);
  const dLon = (shiftLon(x, y) * 180) / ((A / Math.sqrt(m)) * Math.cos(phi) * Math.PI);
  return { lat: lat + dLat, lon: lon + dLon };
}
