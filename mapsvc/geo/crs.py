"""Borders from any named system into WGS 84 longitude/latitude, and out again.

A border is straight between its vertices in the system it was drawn in; in degrees the same line is
curved. Vertices are therefore added on long edges, at the same places for both areas of a shared
edge, so that the stored border follows the drawn one to a centimetre.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup
from shapely.geometry.base import BaseGeometry

from mapsvc.base.errors import InvalidInput
from mapsvc.geo import datums
from mapsvc.geo.crs_checks import check_bounds
from mapsvc.geo.densify import METRES_PER_DEGREE, Bow, densify
from mapsvc.geo.junctions import insert_junctions

Geometries: TypeAlias = NDArray[np.object_]
Floats: TypeAlias = NDArray[np.float64]
Convert: TypeAlias = Callable[[Floats], Floats]

WORST_ACCURACY_M = 10.0
"""A system is refused when PROJ itself may err by this much or more on the way (Beijing 1954: 15 m)."""

NODE_SHARE = 0.4
"""Part of the tolerance within which a neighbour's vertex counts as lying on an edge."""

# How much a line that is straight in the source can bend in degrees, as curvature in 1/m: the waves of the
# formulas have amplitudes of 13 m on 37 km (GCJ-02), and of 40 m on 13 km on top of that (BD-09).
_CURVATURE = {"wgs84": 0.0, "cgcs2000": 0.0, "gcj02": 1e-6, "bd09": 1.2e-5}

# Lengths within which one bow describes an edge; longer edges are looked at piece by piece.
_PIECE_M = {"gcj02": 4_000.0, "bd09": 1_500.0}
_PIECE_PLANE_M = 20_000.0
_EARTH_RADIUS_M = 6_371_000.0
_CHUNK = 500_000


@dataclass(frozen=True)
class Source:
    """The system that coordinates are in: one of `datums.DATUMS` (kind `datum`), or any other (kind `epsg`).

    `epsg` is `None` for a datum without a code and for a system known by its WKT alone.
    """

    kind: str
    name: str
    epsg: int | None
    wkt: str = ""

    @property
    def is_geographic(self) -> bool:
        """Whether coordinates are degrees."""
        return self.kind == "datum" or bool(self.crs.is_geographic)

    @property
    def crs(self) -> CRS:
        """The system as pyproj knows it; GCJ-02 and BD-09 are written as degrees of WGS 84."""
        return _crs(self.wkt or f"EPSG:{self.epsg or 4326}")


WGS84 = Source("datum", "wgs84", 4326)


def parse_crs(text: str) -> Source:
    """Return the system that a user or a file names: `EPSG:4549`, `4549`, `gcj02`, `CGCS2000`, or WKT.

    Raises
    ------
    InvalidInput
        `unknown_crs`; `crs_not_supported` for a local, vertical or engineering system.

    Examples
    --------
    >>> parse_crs("epsg:4549").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 120E'
    >>> parse_crs("GCJ-02").kind
    'datum'
    """
    plain = text.strip()
    short = "".join(letter for letter in plain.lower() if letter.isalnum())
    if short in {*datums.DATUMS, "bd09ll", "crs84", "ogccrs84", "urnogcdefcrsogc13crs84"}:
        name = "wgs84" if short.endswith("crs84") else datums.check_datum(plain)
        return Source("datum", name, {"wgs84": 4326, "cgcs2000": 4490}.get(name))
    crs = _crs(f"EPSG:{plain}" if plain.isdigit() else plain)
    if not (crs.is_geographic or crs.is_projected or crs.is_geocentric):
        raise InvalidInput(
            "crs_not_supported",
            f"The coordinate system {crs.name!r} does not say where on the earth it lies.",
            hint="Convert the file to a known system first (EPSG:4490, EPSG:4513-4554, EPSG:4326, ...).",
            detail={"crs": crs.name},
        )
    code = _epsg_of(crs)
    if code in (4326, 4490):
        return Source("datum", "wgs84" if code == 4326 else "cgcs2000", code)
    return Source("epsg", _crs(f"EPSG:{code}").name, code) if code else Source("epsg", crs.name, None, crs.to_wkt())


def geometries_to_wgs84(
    geometries: Iterable[BaseGeometry | None], source: Source, tolerance_m: float = 0.01, *, junctions: bool = True
) -> Geometries:
    """Return the geometries in WGS 84 degrees, not yet on the lattice; Z is dropped.

    No border moves by more than `tolerance_m` anywhere along it. A vertex of one area that lies on an
    edge of another, which has none there, is first inserted into that edge (`junctions`), since such an
    edge would bend away from its neighbour; give all areas of a level at once for that. `None` and
    empty geometries keep their row.

    Raises
    ------
    InvalidInput
        `crs_zone_mismatch`, `axes_swapped`, `crs_looks_geographic`, `crs_looks_projected`,
        `out_of_range`, `not_finite`, `geocentric_needs_z`, `crs_no_transformation`, `crs_not_accurate`.

    Examples
    --------
    >>> plane = shapely.box(500_000, 3_000_000, 500_100, 3_000_100)
    >>> geometries_to_wgs84([plane], parse_crs("EPSG:4549"))[0].centroid.wkt
    'POINT (120.0005042544338 27.112086748927265)'
    """
    array = np.asarray(list(geometries), dtype=object)
    check_coordinates(array, source)
    solid = source.kind == "epsg" and source.crs.is_geocentric
    if not solid:
        array = shapely.force_2d(array)
        if junctions:
            size = tolerance_m * NODE_SHARE
            array = insert_junctions(
                array, size / METRES_PER_DEGREE if source.is_geographic else size / _unit_m(source)
            )
    convert = _to_wgs84(source)
    bow = _bow(source, array, tolerance_m)
    if bow is not None:
        array = densify(array, convert, bow, to_degrees=True)
    points = shapely.get_coordinates(array, include_z=solid)
    moved: Geometries = shapely.set_coordinates(shapely.force_2d(array), _in_chunks(convert, points))
    return moved


def geometries_from_wgs84(
    geometries: Iterable[BaseGeometry | None], target: Source, tolerance_m: float = 0.01
) -> Geometries:
    """Return WGS 84 geometries in `target`, with vertices added where an edge would leave its line.

    A geocentric target is refused (`crs_not_supported`): it has no plane to draw in.
    """
    if target.kind == "epsg" and target.crs.is_geocentric:
        raise InvalidInput(
            "crs_not_supported", "Borders are not written in geocentric coordinates.", hint="Choose EPSG:4490."
        )
    array: Geometries = shapely.force_2d(np.asarray(list(geometries), dtype=object))
    convert = _from_wgs84(target)
    bow = _bow(target, array, tolerance_m, from_degrees=True)
    if bow is not None:
        array = densify(array, convert, bow, to_degrees=target.is_geographic)
    moved: Geometries = shapely.set_coordinates(array, _in_chunks(convert, shapely.get_coordinates(array)))
    return moved


def _in_chunks(convert: Convert, points: Floats) -> Floats:
    """Return the points converted, some at a time: the ways there take several times the memory of the points."""
    answer = np.empty((len(points), 2))
    for k in range(0, len(points), _CHUNK):
        answer[k : k + _CHUNK] = convert(points[k : k + _CHUNK])
    return answer


def _bow(source: Source, array: Geometries, tolerance_m: float, *, from_degrees: bool = False) -> Bow | None:
    """Return from which length on edges need a look, in units of the system they are drawn in; `None` when none do."""
    if shapely.get_num_coordinates(array).sum() == 0:
        return None
    if source.kind == "datum":
        curvature, piece_m = _CURVATURE[source.name], _PIECE_M.get(source.name, _PIECE_PLANE_M)
    else:
        # A straight line of a conformal plane is nearly a geodesic, which bends by tan(latitude) / R in degrees.
        curvature, piece_m = (
            2 * np.tan(np.radians(_steepest(source, array, from_degrees))) / _EARTH_RADIUS_M + 1e-7,
            _PIECE_PLANE_M,
        )
        if source.is_geographic:
            curvature = 0.0
    if curvature == 0.0:
        return None
    unit_m = METRES_PER_DEGREE if from_degrees or source.is_geographic else _unit_m(source)
    look_m = float(np.sqrt(8 * 0.5 * tolerance_m / curvature))
    return Bow(look_m / unit_m, piece_m / unit_m, 0.5 * tolerance_m, _unit_m(source))


def _steepest(source: Source, array: Geometries, from_degrees: bool) -> float:
    """Return the highest latitude, either side of the equator, among the corners of the bounds; at most 85."""
    if from_degrees:
        bounds = shapely.total_bounds(array)
        highest = np.abs(bounds[[1, 3]]).max()
    elif source.crs.is_geocentric:
        highest = 85.0
    else:
        west, south, east, north = shapely.total_bounds(array)
        x, y = np.meshgrid(np.linspace(west, east, 3), np.linspace(south, north, 3))
        highest = np.abs(_to_wgs84(source)(np.column_stack([x.ravel(), y.ravel()]))[:, 1]).max()
    return float(min(highest, 85.0)) if np.isfinite(highest) else 85.0


def _unit_m(source: Source) -> float:
    """Return the length of one unit of a plane in metres; of a degree, for degrees."""
    if source.is_geographic:
        return METRES_PER_DEGREE
    return float(source.crs.axis_info[0].unit_conversion_factor)


def check_coordinates(geometries: Iterable[BaseGeometry | None], source: Source) -> None:
    """Raise InvalidInput when the coordinates cannot be of the system declared; see `geometries_to_wgs84`."""
    array = np.asarray(list(geometries), dtype=object)
    points = shapely.get_coordinates(array)
    if len(points) == 0:
        return
    if not np.isfinite(points).all():
        raise InvalidInput("not_finite", "A coordinate is not a finite number.", hint="Correct or remove that border.")
    if source.kind == "epsg" and source.crs.is_geocentric:
        if not shapely.has_z(array[~(shapely.is_missing(array) | shapely.is_empty(array))]).all():
            raise InvalidInput(
                "geocentric_needs_z",
                f"{source.name} is geocentric (X, Y, Z), but a border has no third coordinate.",
                hint="Write the file in EPSG:4490.",
            )
        return
    check_bounds(
        points.min(axis=0).tolist(), points.max(axis=0).tolist(), source.name, source.epsg, source.is_geographic
    )


@lru_cache(maxsize=64)
def _crs(text: str) -> CRS:
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        shown = re.sub(r"\s+", " ", text)[:80]
        raise InvalidInput(
            "unknown_crs",
            f"The coordinate system {shown!r} is not known.",
            hint="Name it as EPSG:n, or as wgs84, cgcs2000, gcj02 or bd09.",
            detail={"crs": shown},
        ) from error


def _epsg_of(crs: CRS) -> int | None:
    """Return the EPSG code, also of a description without one whose every parameter fits (Esri's .prj)."""
    code: int | None = crs.to_epsg(min_confidence=70)
    return code


def _is_cgcs2000(crs: CRS) -> bool:
    geodetic = crs.geodetic_crs
    names = f"{geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower() if geodetic else ""
    return "china_2000" in names or "china 2000" in names or "cgcs2000" in names or "china geodetic coordinate" in names


@lru_cache(maxsize=64)
def _transformer(wkt: str) -> Transformer:
    """Return the way from the system to WGS 84 degrees, longitude first, or refuse it."""
    crs = CRS.from_wkt(wkt)
    # EPSG holds no way from CGCS2000 to WGS 84; they are taken as one (see `datums`).
    same = _is_cgcs2000(crs)
    solid, plane = (4480, 4490) if same else (4979, 4326)
    target = CRS.from_epsg(solid if crs.is_geocentric else plane)
    with warnings.catch_warnings():
        # PROJ regrets grids that could be fetched from the network; their lack shows in the accuracy.
        warnings.simplefilter("ignore", UserWarning)
        ways = TransformerGroup(crs, target, always_xy=True, allow_ballpark=False).transformers
        accuracy = 0.0 if same else max((way.accuracy for way in ways), default=0.0)
        if not ways or accuracy >= WORST_ACCURACY_M:
            raise _no_good_way(crs, accuracy)
        return Transformer.from_crs(crs, target, always_xy=True, allow_ballpark=False)


def _no_good_way(crs: CRS, accuracy_m: float) -> InvalidInput:
    if accuracy_m:
        code, message = "crs_not_accurate", f"Positions in {crs.name!r} reach WGS 84 only to about {accuracy_m:.0f} m."
    else:
        code, message = "crs_no_transformation", f"No published transformation leads from {crs.name!r} to WGS 84."
    return InvalidInput(
        code,
        message,
        hint="Have the file converted to CGCS2000 with the official local parameters.",
        detail={"crs": crs.name, "accuracy_m": accuracy_m},
    )


def _to_wgs84(source: Source) -> Convert:
    if source.kind == "datum":
        return lambda points: np.column_stack(datums.to_wgs84(points[:, 0], points[:, 1], source.name))
    way = _transformer(source.crs.to_wkt())
    return lambda points: np.column_stack(way.transform(*points.T)[:2])


def _from_wgs84(target: Source) -> Convert:
    if target.kind == "datum":
        return lambda points: np.column_stack(datums.from_wgs84(points[:, 0], points[:, 1], target.name))
    way = _transformer(target.crs.to_wkt())
    return lambda points: np.column_stack(way.transform(points[:, 0], points[:, 1], direction="INVERSE")[:2])
