"""Which ground borders cover: whether two are the same, whether children add up, who lies in whom, which datum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.datums import gcj02_to_wgs84
from mapsvc.geo.lattice import STEP
from mapsvc.geo.measure import area_m2

TIED_SHARES = 1e-6
"""Shares nearer than this are equal: rounding to the lattice must not decide."""

Geometries = NDArray[np.object_]

SAME_BORDER_DEGREES = 1.5 * STEP
"""Two borders nearer than this all along differ in their vertices only: one lattice step and its diagonal."""

SAME_UNION_DEGREES = 2e-7
"""A stored border and the union of its children may differ by 2 cm: twice what converting a file may move a line."""

INSIDE_SHARE = 0.999
"""A child with this share of its ground in a parent lies in it; the rest is drawing inaccuracy."""


def is_same_ground(a: BaseGeometry, b: BaseGeometry, within_degrees: float = SAME_BORDER_DEGREES) -> bool:
    """Whether neither of two polygons reaches out of the other by more than a distance."""
    bounds_a, bounds_b = shapely.bounds(a), shapely.bounds(b)
    if np.abs(bounds_a - bounds_b).max() > 2 * within_degrees:
        return False
    # Near the origin, and with the tolerance as the unit, the buffer's own rounding does not matter.
    one, other = (shapely.transform(g, lambda c: (c - bounds_a[:2]) / within_degrees) for g in (a, b))
    if abs(one.area - other.area) > one.length + other.length:
        return False
    return bool(one.buffer(1).covers(other) and other.buffer(1).covers(one))


def union_of(geometries: Geometries) -> BaseGeometry:
    """Return the union of areas on the lattice: along shared edges where they match, else by snap-rounding."""
    try:
        union = shapely.coverage_union_all(geometries)
        if union.is_valid:
            return union
    except GEOSException:
        pass
    return shapely.union_all(geometries, grid_size=STEP)


@dataclass(frozen=True)
class UnionCheck:
    """Whether areas are the unions of their children; `reason` says why not, in words."""

    adds_up: bool
    reason: str = ""


def check_unions(
    upper_codes: Sequence[str],
    upper: Geometries,
    finer_parents: Sequence[str],
    finer: Geometries,
) -> UnionCheck:
    """Say whether every upper area is, within 2 cm, the union of the finer areas that name it as parent."""
    orphans = sum(1 for code in finer_parents if not code)
    if orphans:
        return UnionCheck(False, f"{orphans} of {len(finer_parents)} finer areas lie in none of its areas")
    parents = np.asarray(finer_parents, dtype=object)
    order = np.argsort(parents, kind="stable")
    known, starts = np.unique(parents[order].astype(str), return_index=True)
    groups = dict(zip(known.tolist(), np.split(order, starts[1:]), strict=True))
    childless = [code for code in upper_codes if code not in groups]
    if childless:
        return UnionCheck(False, f"{len(childless)} of its areas have no finer ones ({', '.join(childless[:3])})")
    different: list[tuple[str, float]] = []
    for code, border in zip(upper_codes, upper, strict=True):
        union = union_of(finer[groups[code]])
        if not is_same_ground(border, union, SAME_UNION_DEGREES):
            off = shapely.symmetric_difference(border, union, grid_size=STEP)
            different.append((code, float(area_m2([polygons_of(off)])[0])))
    if different:
        code, size = max(different, key=lambda item: item[1])
        return UnionCheck(
            False,
            f"{len(different)} of {len(upper_codes)} areas are not the union of their finer ones "
            f"(most of all {code}, by {size:,.0f} m2)",
        )
    return UnionCheck(True)


def polygons_of(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a geometry, without the lines and points that overlay leaves behind."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and not part.is_empty]
    if len(parts) == 1:
        return Polygon(parts[0])
    return MultiPolygon(parts)


def parents_by_overlap(
    children: Geometries, parent_codes: Sequence[str], parents: Geometries
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return for each child the parent that holds most of it (empty for none) and the share it holds.

    Ties go to the smaller code. Shares are of areas in degrees: exact enough within one child.
    """
    best = np.full(len(children), -1, dtype=np.int64)
    share = np.zeros(len(children))
    sizes = shapely.area(children)
    tree = shapely.STRtree(children)
    holding, held = tree.query(parents, predicate="covers")
    order = np.argsort(-holding, kind="stable")  # the smaller parent is written last and stays
    best[held[order]] = holding[order]
    share[held] = 1.0
    open_rows = np.flatnonzero(best < 0)
    if len(open_rows):
        child, parent = shapely.STRtree(parents).query(children[open_rows], predicate="intersects")
        common = shapely.area(shapely.intersection(children[open_rows][child], parents[parent], grid_size=STEP))
        for n in np.argsort(parent, kind="stable"):  # so that of equal shares the smaller code stays
            row = open_rows[child[n]]
            part = common[n] / sizes[row] if sizes[row] else 0.0
            if part > share[row] + TIED_SHARES:
                best[row], share[row] = parent[n], part
    return tuple(parent_codes[row] if row >= 0 else "" for row in best.tolist()), share


@dataclass(frozen=True)
class DatumDoubt:
    """How much of the new ground lies in the known ground as it stands, and after undoing GCJ-02."""

    share_as_is: float
    share_as_gcj02: float


def find_datum_doubt(new: Geometries, known: Geometries) -> DatumDoubt | None:
    """Say whether new borders called WGS 84 fit the known ones much better when read as GCJ-02.

    None when they fit as they are, when they do not meet, or when both readings fit alike (new ground
    far inside the known one).
    """
    there = new[~(shapely.is_missing(new) | shapely.is_empty(new))]
    if len(there) == 0 or len(known) == 0:
        return None
    ground = _outline(known)
    as_is = _outline(there)
    undone = shapely.transform(as_is, lambda c: np.column_stack(gcj02_to_wgs84(c[:, 0], c[:, 1])))
    plain, shifted = _share(as_is, ground), _share(undone, ground)
    if shifted < 0.5 or (1 - shifted) > 0.6 * (1 - plain) or shifted - plain < 0.002:
        return None
    return DatumDoubt(plain, shifted)


def _outline(geometries: Geometries) -> BaseGeometry:
    """Return the ground covered, with ten-metre accuracy: enough to see a shift of hundreds of metres."""
    valid = shapely.make_valid(geometries[~shapely.is_missing(geometries)])
    return shapely.make_valid(shapely.simplify(union_of(valid), 1e-4))


def _share(part: BaseGeometry, whole: BaseGeometry) -> float:
    valid = shapely.make_valid(part)
    return float(shapely.intersection(valid, whole).area / valid.area) if valid.area else 0.0
