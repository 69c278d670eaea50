"""The three datums of Chinese maps, arrays first: WGS 84, GCJ-02 (AMap, Tencent) and BD-09 (Baidu).

GCJ-02 moves positions by 50 to 700 m within the mainland and not at all outside; BD-09 moves them
on from there. Outside the mainland all three are taken as WGS 84. Where the line between lies is
known roughly only, from `data/mainland.geojson`, which also holds the belt in which a position may
be on either side: the conversions do not warn by themselves; callers ask `in_uncertain_belt`.

CGCS2000 is taken as WGS 84. Their ellipsoids differ by 0.1 mm, their frames by centimetres at the
epoch 2000.0 to which CGCS2000 is tied; since then the ground moves by about 3 cm a year, which makes
a few decimetres against what a receiver measures today. No transformation of this is published that
PROJ could apply (EPSG holds none).

The GCJ-02 formula is the one in public use; it agrees with the AMap service to 10 m everywhere and
to 1 m at the median. The BD-09 chain agrees with the Baidu service to 1 m.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from mapsvc.base.errors import InvalidInput
from mapsvc.base.paths import data_dir

DATUMS = ("wgs84", "gcj02", "bd09", "cgcs2000")

Floats: TypeAlias = NDArray[np.float64]
LonLat: TypeAlias = tuple[Floats, Floats]
Step: TypeAlias = Callable[[Floats, Floats], LonLat]

# The Krasovsky 1940 ellipsoid, on which the published formula is written.
_A = 6_378_245.0
_E2 = 0.00669342162296594323

_BD_WAVE = np.pi * 3000.0 / 180.0
_BD_LON = 0.0065
_BD_LAT = 0.006

_INVERSE_ERROR_DEG = 1e-10
_INVERSE_ROUNDS = 30


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Return GCJ-02 longitudes and latitudes of WGS 84 positions, in degrees.

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02([114.21892734521, 0.0], [29.575429778924, 0.0])
    >>> lon.round(6), lat.round(6)
    (array([114.2243,   0.    ]), array([29.572845,  0.      ]))
    """
    x, y = _degrees(lon, lat)
    return _within(_mainland_mask(x, y), _shifted_to_gcj02, x, y)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Return WGS 84 longitudes and latitudes of GCJ-02 positions, in degrees, to 1e-9 degree.

    Within a shift's length outside the outline two WGS 84 positions can have the same GCJ-02
    position; the one inside is answered.
    """
    return _back(_shifted_to_gcj02, lon, lat)


def wgs84_to_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Return BD-09 longitudes and latitudes of WGS 84 positions, in degrees."""
    x, y = _degrees(lon, lat)
    return _within(_mainland_mask(x, y), _shifted_to_bd09, x, y)


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Return WGS 84 longitudes and latitudes of BD-09 positions, in degrees, to 1e-9 degree."""
    return _back(_shifted_to_bd09, lon, lat)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Return BD-09 longitudes and latitudes of GCJ-02 positions, in degrees."""
    return wgs84_to_bd09(*gcj02_to_wgs84(lon, lat))


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Return GCJ-02 longitudes and latitudes of BD-09 positions, in degrees, to 1e-9 degree."""
    return wgs84_to_gcj02(*bd09_to_wgs84(lon, lat))


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str) -> LonLat:
    """Return WGS 84 positions of positions in `datum`, one of `DATUMS`; InvalidInput `unknown_datum` for others."""
    return _INTO[check_datum(datum)](lon, lat)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str) -> LonLat:
    """Return positions in `datum`, one of `DATUMS`, of WGS 84 positions; InvalidInput `unknown_datum` for others."""
    return _OUT_OF[check_datum(datum)](lon, lat)


def check_datum(text: str) -> str:
    """Return the name in `DATUMS` that a user's spelling means ("GCJ-02", "WGS 84", ...).

    Raises
    ------
    InvalidInput
        Code `unknown_datum`.

    Examples
    --------
    >>> check_datum("GCJ-02")
    'gcj02'
    """
    name = "".join(letter for letter in text.lower() if letter.isalnum())
    name = {"bd09ll": "bd09", "gcj2": "gcj02", "4326": "wgs84", "4490": "cgcs2000"}.get(name, name)
    if name not in DATUMS:
        raise InvalidInput(
            "unknown_datum",
            f"The datum {text!r} is not known.",
            hint=f"Name one of {', '.join(DATUMS)}.",
            detail={"datum": text, "datums": list(DATUMS)},
        )
    return name


def in_mainland(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return for each WGS 84 position whether GCJ-02 is taken to differ from WGS 84 there.

    A coarse outline for this purpose only; see `in_uncertain_belt`.
    """
    return _mainland_mask(*_degrees(lon, lat))


def in_uncertain_belt(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return for each WGS 84 position whether `in_mainland` may be wrong there.

    A conversion there may err by the whole shift, several hundred metres; the belt is 100 to 200 km wide
    along most of the land border and the open sea.
    """
    x, y = _degrees(lon, lat)
    return _inside(_mainland()[1], x, y)


def belt_warning(lon: ArrayLike, lat: ArrayLike) -> str | None:
    """Return a sentence for people when WGS 84 positions lie in the uncertain belt, else `None`."""
    unsure = in_uncertain_belt(lon, lat)
    count = int(unsure.sum())
    if count == 0:
        return None
    return (
        f"{count} of {unsure.size} positions lie near the edge of the mainland, where it is not known exactly whether "
        "GCJ-02 and BD-09 are shifted: converted positions may be off by several hundred metres. Check some by eye."
    )


def _mainland_mask(x: Floats, y: Floats) -> NDArray[np.bool_]:
    return _inside(_mainland()[0], x, y)


def _inside(area: BaseGeometry, x: Floats, y: Floats) -> NDArray[np.bool_]:
    return np.asarray(shapely.contains_xy(area, x, y), dtype=np.bool_).reshape(x.shape)


@cache
def _mainland() -> tuple[BaseGeometry, BaseGeometry]:
    """Return the outline and the belt, read once from the shipped file."""
    found = json.loads((data_dir() / "mainland.geojson").read_text(encoding="utf-8"))
    shapes = {f["properties"]["name"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in found["features"]}
    shapely.prepare(list(shapes.values()))
    return shapes["outline"], shapes["belt"]


def _degrees(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    return x, y


def _within(mask: NDArray[np.bool_], step: Step, x: Floats, y: Floats) -> LonLat:
    """Return the positions with `step` applied where the mask is set, and as they are elsewhere."""
    out_x, out_y = x.copy(), y.copy()
    if mask.any():
        out_x[mask], out_y[mask] = step(x[mask], y[mask])
    return out_x, out_y


def _back(step: Step, lon: ArrayLike, lat: ArrayLike) -> LonLat:
    """Undo `step`: an origin that lies in the mainland is the answer, otherwise the position itself."""
    x, y = _degrees(lon, lat)
    near = _inside(_surroundings(), x, y)
    origin_x, origin_y = _within(near, lambda a, b: _solve(step, a, b), x, y)
    inside = near & _mainland_mask(origin_x, origin_y)
    return np.where(inside, origin_x, x), np.where(inside, origin_y, y)


@cache
def _surroundings() -> BaseGeometry:
    """Return the mainland with 0.05 degree around it: further out no shift (0.013 degree at most) leads in."""
    around: BaseGeometry = _mainland()[0].buffer(0.05)
    shapely.prepare(around)
    return around


def _solve(step: Step, x: Floats, y: Floats) -> LonLat:
    """Return the positions that `step` moves to (x, y), by iteration: each round gains two digits or more."""
    guess_x, guess_y = x.copy(), y.copy()
    for _ in range(_INVERSE_ROUNDS):
        there_x, there_y = step(guess_x, guess_y)
        off_x, off_y = there_x - x, there_y - y
        guess_x -= off_x
        guess_y -= off_y
        if max(np.abs(off_x).max(initial=0.0), np.abs(off_y).max(initial=0.0)) < _INVERSE_ERROR_DEG:
            break
    return guess_x, guess_y


def _shifted_to_gcj02(lon: Floats, lat: Floats) -> LonLat:
    """Apply the public formula, wherever the position lies."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi / 3.0 * y)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi / 12.0 * y) + 320.0 * np.sin(np.pi / 30.0 * y)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi / 3.0 * x)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi / 12.0 * x) + 300.0 * np.sin(np.pi / 30.0 * x)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1 - _E2 * np.sin(phi) ** 2
    dlat = np.degrees(north * magic**1.5 / (_A * (1 - _E2)))
    dlon = np.degrees(east * np.sqrt(magic) / (_A * np.cos(phi)))
    return lon + dlon, lat + dlat


def _gcj02_on_to_bd09(lon: Floats, lat: Floats) -> LonLat:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_WAVE)
    return radius * np.cos(angle) + _BD_LON, radius * np.sin(angle) + _BD_LAT


def _shifted_to_bd09(lon: Floats, lat: Floats) -> LonLat:
    return _gcj02_on_to_bd09(*_shifted_to_gcj02(lon, lat))


def _same(lon: ArrayLike, lat: ArrayLike) -> LonLat:
    x, y = _degrees(lon, lat)
    return x.copy(), y.copy()


_INTO: dict[str, Callable[[ArrayLike, ArrayLike], LonLat]] = {
    "wgs84": _same,
    "cgcs2000": _same,
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}
_OUT_OF: dict[str, Callable[[ArrayLike, ArrayLike], LonLat]] = {
    "wgs84": _same,
    "cgcs2000": _same,
    "gcj02": wgs84_to_gcj02,
    "bd09": wgs84_to_bd09,
}
