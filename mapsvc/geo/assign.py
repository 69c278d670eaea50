"""Points to areas for any set of polygons: by the cell index where they are a coverage, else by a slower way.

The rule is the same on both ways: a point belongs to the smallest code of all areas that contain or touch it. In a
coverage that decides borders and corners; where areas overlap it decides the overlap too, and the answer says how
many points that concerned. Rings that cross themselves are repaired by `make_valid` for answering; what is stored or
sent is not changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.lattice import PER_DEGREE, snap_geometries
from mapsvc.geo.locate.index import AreaIndex

Geometries = NDArray[np.object_]
Numbers = NDArray[np.int32]

_POLYGONS = (3, 6)


@dataclass(frozen=True)
class Answers:
    """Numbers of areas (rows as given, -1 for none) and what they rest on.

    `on_border` counts points on a border, where the smallest code decided; `overlaps` points in the inside of one area
    and in or on another; `repaired` points whose answer is an area with a repaired ring.
    """

    numbers: Numbers
    on_border: int = 0
    overlaps: int = 0
    repaired: int = 0

    @property
    def inside(self) -> int:
        """How many points have an area."""
        return int((self.numbers >= 0).sum())


class Assigner(Protocol):
    """Areas made ready to be asked about any number of points, chunk by chunk."""

    way: str
    repaired_rows: tuple[int, ...]
    empty_rows: tuple[int, ...]

    def answer(self, lon: ArrayLike, lat: ArrayLike) -> Answers: ...

    def save(self, path: Path) -> None: ...


class CleanAreas:
    """A coverage, answered by its cell index; `way` is `"index"`. `rows` turn its numbers into rows as given."""

    way = "index"
    repaired_rows: tuple[int, ...] = ()
    empty_rows: tuple[int, ...] = ()

    def __init__(self, index: AreaIndex, rows: NDArray[np.int32]) -> None:
        self.index = index
        self._rows = np.append(rows, np.int32(-1))

    def answer(self, lon: ArrayLike, lat: ArrayLike) -> Answers:
        """Answer points in degrees, WGS 84."""
        numbers = self._rows[self.index.locate(lon, lat)]
        return Answers(numbers, on_border=int(self.index.on_border(lon, lat).sum()))

    def save(self, path: Path) -> None:
        """Write the index beside its order of rows, for other processes; see `open_assigner`."""
        path.mkdir(parents=True, exist_ok=True)
        np.save(path / "rows.npy", self._rows[:-1])
        self.index.save(path / "areas.index")


class UncleanAreas:
    """Areas that may overlap, leave slivers or have broken rings, answered by a tree; `way` is `"tree"`.

    The rule for overlaps is the smallest code of all areas that contain or touch the point. Points are rounded to
    the lattice as on the other way; whether one lies exactly on a border is decided for the doubles at hand.
    """

    way = "tree"

    def __init__(self, geometries: Geometries, codes: Sequence[str]) -> None:
        polygons = _polygons(geometries)
        # Mended before it is snapped: a ring like an 8 can have no area to the eyes of the lattice.
        broken = _mend(polygons)
        polygons = snap_geometries(polygons)
        broken |= _mend(polygons)
        self._prepare(polygons, broken, _in_order(codes))

    def _prepare(self, polygons: Geometries, broken: NDArray[np.bool_], rows: NDArray[np.int32]) -> None:
        """Make mended polygons ready; all three are by row as given."""
        self._rows = np.append(rows, np.int32(-1))
        ordered, broken = polygons[rows], broken[rows]
        flat = shapely.is_missing(ordered) | shapely.is_empty(ordered)
        ordered[flat] = shapely.Polygon()
        self._areas: Geometries = ordered
        self._broken = np.append(broken & ~flat, False)
        self.repaired_rows = tuple(sorted(rows[broken & ~flat].tolist()))
        self.empty_rows = tuple(sorted(rows[flat].tolist()))
        shapely.prepare(ordered)
        self._tree = shapely.STRtree(ordered)

    def answer(self, lon: ArrayLike, lat: ArrayLike) -> Answers:
        """Answer points in degrees, WGS 84."""
        x = np.rint(np.asarray(lon, dtype=np.float64) * PER_DEGREE) / PER_DEGREE
        y = np.rint(np.asarray(lat, dtype=np.float64) * PER_DEGREE) / PER_DEGREE
        finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        at, areas = self._tree.query(shapely.points(x[finite], y[finite]), predicate="intersects")
        at = finite[at]
        best = np.full(len(x), len(self._areas), dtype=np.int64)
        np.minimum.at(best, at, areas)
        hits = np.bincount(at, minlength=len(x))
        several = hits[at] > 1
        within = np.zeros(len(x), dtype=np.bool_)
        inner = shapely.contains_xy(self._areas[areas[several]], x[at[several]], y[at[several]])
        np.logical_or.at(within, at[several], inner)
        touching = hits == 1
        touching[at[touching[at]]] = ~shapely.contains_xy(
            self._areas[areas[touching[at]]], x[at[touching[at]]], y[at[touching[at]]]
        )
        return Answers(
            self._rows[best],
            on_border=int((touching | ((hits > 1) & ~within)).sum()),
            overlaps=int(within.sum()),
            repaired=int(self._broken[best].sum()),
        )

    def save(self, path: Path) -> None:
        """Write the areas, repaired, for other processes; see `open_assigner`."""
        path.mkdir(parents=True, exist_ok=True)
        np.save(path / "rows.npy", self._rows[:-1])
        np.save(path / "broken.npy", self._broken[:-1])
        wkb = shapely.to_wkb(self._areas)
        np.save(path / "ends.npy", np.cumsum([len(item) for item in wkb]))
        (path / "areas.wkb").write_bytes(b"".join(wkb))


def make_assigner(geometries: Geometries, codes: Sequence[str]) -> Assigner:
    """Make areas ready: by the index where, brought to the lattice, they are a valid coverage, else by the tree.

    `geometries` are in degrees, WGS 84; rows that are None, empty or no polygons answer for nothing and are told in
    `empty_rows`. Codes need not be in order; of equal ones the first row comes first.
    """
    if len(geometries) != len(codes):
        raise InvalidInput(
            "codes_missing", f"{len(geometries)} areas have {len(codes)} codes.", hint="Give one code for each area."
        )
    polygons = _polygons(geometries)
    rows = _in_order(codes)
    if not shapely.is_missing(polygons).any() and shapely.is_valid(polygons).all():
        snapped = snap_geometries(polygons)
        clean = shapely.is_valid(snapped).all() and not shapely.is_empty(snapped).any()
        if not (clean and shapely.coverage_is_valid(snapped)):
            return UncleanAreas(geometries, codes)
        try:
            return CleanAreas(AreaIndex.build(snapped[rows]), rows)
        except InvalidInput as error:
            if error.code not in ("not_a_coverage", "edge_too_long", "too_crowded"):
                raise
    return UncleanAreas(geometries, codes)


def open_assigner(path: Path) -> Assigner:
    """Return what `save` wrote: the index mapped into memory, or the areas read again."""
    rows = np.load(path / "rows.npy")
    if (path / "areas.index").exists():
        return CleanAreas(AreaIndex.open(path / "areas.index"), rows)
    ends = np.load(path / "ends.npy")
    content = (path / "areas.wkb").read_bytes()
    starts = np.concatenate([[0], ends[:-1]])
    wkb = [content[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    areas = UncleanAreas.__new__(UncleanAreas)
    ordered = np.empty(len(rows), dtype=object)
    ordered[rows] = shapely.from_wkb(wkb)
    broken = np.empty(len(rows), dtype=np.bool_)
    broken[rows] = np.load(path / "broken.npy")
    areas._prepare(ordered, broken, rows)
    return areas


@dataclass(frozen=True)
class Assigned:
    """The answers for a set of points, the way (`"index"` or `"tree"`), and which rows were repaired or empty."""

    answers: Answers
    way: str
    repaired_rows: tuple[int, ...]
    empty_rows: tuple[int, ...]


def assign_points(geometries: Geometries, codes: Sequence[str], lon: ArrayLike, lat: ArrayLike) -> Assigned:
    """Assign points in degrees, WGS 84, to areas, the quick way where it can be taken; see `make_assigner`.

    Examples
    --------
    >>> areas = np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)])
    >>> found = assign_points(areas, ["b", "a"], [0.5, 1.5, 9.0], [0.5, 0.5, 0.5])
    >>> found.answers.numbers.tolist(), found.way, found.answers.overlaps
    ([0, 1, -1], 'tree', 1)
    """
    assigner = make_assigner(geometries, codes)
    return Assigned(assigner.answer(lon, lat), assigner.way, assigner.repaired_rows, assigner.empty_rows)


def assign_unclean(geometries: Geometries, codes: Sequence[str], lon: ArrayLike, lat: ArrayLike) -> Assigned:
    """Assign points the slower way, whether or not the areas are a coverage; see `UncleanAreas` for the rule."""
    areas = UncleanAreas(geometries, codes)
    return Assigned(areas.answer(lon, lat), areas.way, areas.repaired_rows, areas.empty_rows)


def _in_order(codes: Sequence[str]) -> NDArray[np.int32]:
    return np.array(sorted(range(len(codes)), key=codes.__getitem__), dtype=np.int32)


def _polygons(geometries: Geometries) -> Geometries:
    """Return a copy with None in place of what is no polygon or is empty."""
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    array[~np.isin(shapely.get_type_id(array), _POLYGONS) | shapely.is_empty(array)] = None
    return array


def _mend(polygons: Geometries) -> NDArray[np.bool_]:
    """Repair broken polygons in place and say which they were."""
    broken: NDArray[np.bool_] = ~shapely.is_missing(polygons) & ~shapely.is_valid(polygons)
    polygons[broken] = [_repaired(geometry) for geometry in polygons[broken]]
    return broken


def _repaired(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the ground of a polygon with crossing rings: what any of its parts encloses, lines left out."""
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(geometry, method="structure", keep_collapsed=False)))
    return shapely.union_all([part for part in parts if part.geom_type == "Polygon"])
