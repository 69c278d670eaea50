// Lengths and areas on the ellipsoid of WGS 84. Pure: degrees in, metres and square metres out.

const A = 6378137.0;
const F = 1 / 298.257223563;
const B = A * (1 - F);
const RAD = Math.PI / 180;

/** Return the length of the geodesic between two points (Vincenty), to a millimetre within a city. */
export function distance(from, to) {
  const l = (to.lng - from.lng) * RAD;
  const u1 = Math.atan((1 - F) * Math.tan(from.lat * RAD));
  const u2 = Math.atan((1 - F) * Math.tan(to.lat * RAD));
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = l;
  for (let round = 0; round < 100; round += 1) {
    const [sl, cl] = [Math.sin(lambda), Math.cos(lambda)];
    const sinSigma = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
    if (sinSigma === 0) return 0;
    const cosSigma = s1 * s2 + c1 * c2 * cl;
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (c1 * c2 * sl) / sinSigma;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2M = cos2Alpha ? cosSigma - (2 * s1 * s2) / cos2Alpha : 0;
    const c = (F / 16) * cos2Alpha * (4 + F * (4 - 3 * cos2Alpha));
    const before = lambda;
    const bow = sigma + c * sinSigma * (cos2M + c * cosSigma * (2 * cos2M ** 2 - 1));
    lambda = l + (1 - c) * F * sinAlpha * bow;
    if (Math.abs(lambda - before) > 1e-12) continue;
    const uSq = (cos2Alpha * (A * A - B * B)) / (B * B);
    const bigA = 1 + (uSq / 16384) * (4096 + uSq * (-768 + uSq * (320 - 175 * uSq)));
    const bigB = (uSq / 1024) * (256 + uSq * (-128 + uSq * (74 - 47 * uSq)));
    const third = (bigB / 6) * cos2M * (4 * sinSigma ** 2 - 3) * (4 * cos2M ** 2 - 3);
    const delta = bigB * sinSigma * (cos2M + (bigB / 4) * (cosSigma * (2 * cos2M ** 2 - 1) - third));
    return B * bigA * (sigma - delta);
  }
  return NaN; // nearly opposite points of the earth: nobody measures those here
}

/** Return the length of a line through points. */
export function lengthOf(points) {
  let sum = 0;
  for (let i = 1; i < points.length; i += 1) sum += distance(points[i - 1], points[i]);
  return sum;
}

const E2 = F * (2 - F);
const E = Math.sqrt(E2);
const q = (s) => (1 - E2) * (s / (1 - E2 * s * s) + Math.atanh(E * s) / E);
const AUTHALIC_R2 = (A * A * q(1)) / 2;

/** Return the area within a ring of points: that of the sphere of equal area, with latitudes that keep areas. */
export function areaOf(points) {
  if (points.length < 3) return 0;
  const beta = points.map(({ lat }) => Math.asin(q(Math.sin(lat * RAD)) / q(1)));
  let sum = 0;
  for (let i = 0; i < points.length; i += 1) {
    const j = (i + 1) % points.length;
    const turn = ((points[j].lng - points[i].lng) * RAD) / 2;
    const [t1, t2] = [Math.tan(beta[i] / 2), Math.tan(beta[j] / 2)];
    // The spherical excess between the edge and the equator.
    sum += 2 * Math.atan2(Math.tan(turn) * (t1 + t2), 1 + t1 * t2);
  }
  return Math.abs(sum) * AUTHALIC_R2;
}
