"""Derive the coarse outline within which GCJ-02 differs from WGS 84: `python tools/derive_mainland.py ANSWERS.csv`.

ANSWERS.csv holds points of a regular grid (wgs_lng, wgs_lat) and whether a public conversion service
shifted them (amap_shifted). Those points, the seats of Chinese border counties (their maps are
shifted, so they lie inside) and a rim of points one step outside the grid (taken as not shifted) are
triangulated. A triangle whose corners agree is certain; the others form the belt in which the line
can lie anywhere, and the outline passes half-way along their edges. Only this derived picture is
written, to `data/mainland.geojson`; no answer of the service is.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay

Samples = tuple[NDArray[np.float64], NDArray[np.bool_]]

# Seats of border counties and cities, to a tenth of a degree: general geography, no survey.
TOWNS = (
    ("东兴", 108.0, 21.5), ("凭祥", 106.8, 22.1), ("河口", 104.0, 22.5), ("麻栗坡", 104.7, 23.1),
    ("金平", 103.2, 22.8), ("勐腊", 101.6, 21.5), ("景洪", 100.8, 22.0), ("孟连", 99.6, 22.3),
    ("瑞丽", 97.9, 24.0), ("腾冲", 98.5, 25.0), ("泸水", 98.9, 25.8), ("察隅", 97.5, 28.7),
    ("错那", 92.0, 28.0), ("亚东", 88.9, 27.5), ("聂拉木", 86.0, 28.2), ("普兰", 81.2, 30.3),
    ("札达", 79.8, 31.5), ("日土", 79.7, 33.4), ("塔什库尔干", 75.2, 37.8), ("乌恰", 75.3, 39.7),
    ("阿合奇", 78.4, 40.9), ("昭苏", 81.1, 43.2), ("霍尔果斯", 80.4, 44.2), ("伊宁", 81.3, 43.9),
    ("博乐", 82.1, 44.9), ("塔城", 83.0, 46.7), ("吉木乃", 85.9, 47.4), ("哈巴河", 86.4, 48.1),
    ("青河", 90.4, 46.7), ("伊吾", 94.7, 43.3), ("额济纳", 101.1, 42.0), ("二连浩特", 112.0, 43.7),
    ("东乌珠穆沁", 117.0, 45.5), ("阿尔山", 119.9, 47.2), ("满洲里", 117.4, 49.6), ("额尔古纳", 120.2, 50.2),
    ("漠河", 122.5, 53.0), ("呼玛", 126.6, 51.7), ("黑河", 127.5, 50.2), ("逊克", 128.5, 49.6),
    ("嘉荫", 130.4, 48.9), ("同江", 132.5, 47.7), ("抚远", 134.3, 48.4), ("饶河", 134.0, 46.8),
    ("虎林", 132.9, 45.8), ("密山", 131.8, 45.5), ("东宁", 131.1, 44.1), ("绥芬河", 131.2, 44.4),
    ("牡丹江", 129.6, 44.6), ("珲春", 130.4, 42.9), ("图们", 129.8, 43.0), ("和龙", 129.0, 42.5),
    ("长白", 128.2, 41.4), ("临江", 126.9, 41.8), ("集安", 126.2, 41.1), ("丹东", 124.4, 40.1),
    ("荣成", 122.4, 37.2), ("舟山", 122.2, 30.0), ("嵊泗", 122.5, 30.7),
)  # fmt: skip

RIM = 1
"""Grid steps by which the rim of unshifted points surrounds the grid."""


def read_samples(path: Path) -> Samples:
    """Return the points and whether each is shifted: grid, towns and rim."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    points = np.array([(float(row["wgs_lng"]), float(row["wgs_lat"])) for row in rows])
    shifted = np.array([row["amap_shifted"] == "True" for row in rows])
    lons, lats = np.unique(points[:, 0]), np.unique(points[:, 1])
    wide = np.concatenate([[2 * lons[0] - lons[RIM]], lons, [2 * lons[-1] - lons[-1 - RIM]]])
    high = np.concatenate([[2 * lats[0] - lats[RIM]], lats, [2 * lats[-1] - lats[-1 - RIM]]])
    rim = [(x, y) for x in wide for y in high if x in (wide[0], wide[-1]) or y in (high[0], high[-1])]
    towns = [(lon, lat) for _, lon, lat in TOWNS]
    every = np.concatenate([points, np.array(rim), np.array(towns)])
    flags = np.concatenate([shifted, np.zeros(len(rim), dtype=bool), np.ones(len(towns), dtype=bool)])
    return every, flags


def inside_piece(corners: NDArray[np.float64], inside: NDArray[np.bool_]) -> shapely.Polygon | None:
    """Return the part of one triangle that counts as mainland: cut half-way along its mixed edges."""
    ring: list[tuple[float, float]] = []
    for k in range(3):
        here, after = corners[k], corners[(k + 1) % 3]
        if inside[k]:
            ring.append((float(here[0]), float(here[1])))
        if inside[k] != inside[(k + 1) % 3]:
            middle = np.round((here + after) / 2, 6)
            ring.append((float(middle[0]), float(middle[1])))
    return shapely.Polygon(ring) if len(ring) >= 3 else None


def main(source: Path, target: Path) -> None:
    """Write the outline and the belt."""
    points, shifted = read_samples(source)
    triangles = Delaunay(points).simplices
    pieces = [inside_piece(points[t], shifted[t]) for t in triangles]
    outline = shapely.union_all([piece for piece in pieces if piece is not None])
    mixed = [shapely.Polygon(points[t]) for t in triangles if 0 < shifted[t].sum() < 3]
    belt = shapely.union_all(mixed)
    about = {
        "title": "Where GCJ-02 differs from WGS 84: a coarse outline, and the belt in which it is uncertain",
        "source": "Derived by this project (tools/derive_mainland.py) from answers of a public map service's "
        "conversion, observed at points of a grid of 1 degree of longitude by 2 of latitude, and from the rough "
        f"positions of {len(TOWNS)} border towns, taken as inside. No answer of the service is part of this file.",
        "method": "Delaunay triangles of these points; the outline passes half-way along edges with one shifted and "
        "one unshifted end; the belt is every triangle whose corners differ.",
        "meaning": "For the conversion of coordinates only. This is no border of any country; do not draw it.",
    }
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": json.loads(shapely.to_geojson(simple(shape)))}
        for name, shape in (("outline", outline), ("belt", belt))
    ]
    text = json.dumps({"type": "FeatureCollection", **about, "features": features}, ensure_ascii=False, indent=None)
    target.write_text(text.replace('{"type": "Feature",', '\n{"type": "Feature",') + "\n", encoding="utf-8")


def simple(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the shape without vertices on straight lines, rounded to 1e-6 degree, shells counter-clockwise."""
    straight = shapely.simplify(shape, 0.0)
    return shapely.orient_polygons(shapely.transform(straight, lambda c: np.round(c, 6)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/derive_mainland.py ANSWERS.csv")
    main(Path(sys.argv[1]), Path(__file__).resolve().parent.parent / "data" / "mainland.geojson")
