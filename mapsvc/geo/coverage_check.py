"""Six checks of a level's borders: validity, matched edges, overlaps, gaps, nesting, contiguity and load.

`shapely.coverage_is_valid` alone is not enough: it accepts a self-intersecting polygon, real holes, and polygons
a nanometre apart; so each check looks for one thing and says where, how large and between whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.lattice import STEP
from mapsvc.geo.measure import length_m
from mapsvc.geo.pieces import Pieces, measure_pieces, polygons_only
from mapsvc.geo.rings import RingTable, equal_points, point_hashes

Geometries: TypeAlias = NDArray[np.object_]
Ints: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.bool_]

KINDS = ("invalid", "empty", "overlap", "edge", "gap", "inlet", "hole", "no_parent", "nesting", "childless", "parts",
         "contiguity", "load")  # fmt: skip

NAMED = 6
"""Codes named in one message."""


@dataclass(frozen=True)
class Finding:
    """One thing wrong (`error`) or worth a look (`warning`) with borders: what, where (WGS 84), how large, whose.

    `area_m2`, `width_m` (largest circle inside) and `length_m` are 0 where they mean nothing; so is the place
    of a row without ground (`empty`).
    """

    kind: str
    severity: str
    codes: tuple[str, ...]
    lon: float
    lat: float
    message: str
    area_m2: float = 0.0
    width_m: float = 0.0
    length_m: float = 0.0


@dataclass(frozen=True, eq=False)
class Parents:
    """The areas one level up: their codes and borders, and for each child its parent's code ("" for none)."""

    codes: Sequence[str]
    geometries: Sequence[BaseGeometry] | Geometries
    of: Sequence[str]


@dataclass(frozen=True)
class CheckOptions:
    """What counts: pieces thinner than `tolerance_m` are drawing noise; a hole wider than `hole_m` may be meant.

    `households` of each area must lie within `household_band` (lowest, highest), where both are given.
    """

    tolerance_m: float = 0.01
    hole_m: float = 10.0
    households: Sequence[int | None] | None = None
    household_band: tuple[int, int] | None = None


def check_coverage(
    geometries: Iterable[BaseGeometry | None],
    codes: Sequence[str],
    *,
    parents: Parents | None = None,
    outline: BaseGeometry | None = None,
    options: CheckOptions | None = None,
) -> tuple[Finding, ...]:
    """Return what is wrong with the borders of one level, errors first, larger ones before smaller.

    Gaps are looked for within `outline`, or within the parents; with neither, only holes enclosed by the
    areas can be seen, no inlets and no missing area at the rim.

    Examples
    --------
    >>> left, right = shapely.box(118, 30, 118.01, 30.01), shapely.box(118.009, 30, 118.02, 30.01)
    >>> [finding] = check_coverage([left, right], ["A", "B"])
    >>> finding.kind, finding.codes, round(finding.width_m)
    ('overlap', ('A', 'B'), 96)
    """
    chosen = options or CheckOptions()
    array = np.asarray(list(geometries), dtype=object)
    findings, usable = _check_each(array, codes)
    findings += _find_load(array, codes, chosen)
    if usable.any():
        ground = _Ground.of(array, codes, usable, chosen.tolerance_m)
        meeting = _Meeting.of(ground)
        overlaps = _find_overlaps(ground, meeting)
        findings += overlaps
        findings += _find_loose_edges(ground, {code for finding in overlaps for code in finding.codes})
        findings += _find_parts(ground)
        groups = [""] * len(ground.codes)
        if parents is not None:
            groups = [parents.of[k] for k in np.flatnonzero(usable).tolist()]
            findings += _find_nesting(ground, parents, groups)
            borders = np.asarray(parents.geometries, dtype=object)
            outline = outline or _union(borders, matched=bool(shapely.coverage_is_valid(borders)))
        findings += _find_gaps(ground, outline, chosen.hole_m)
        findings += _find_apart(ground, meeting, groups, parents)
    order = {kind: k for k, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda f: (f.severity != "error", order[f.kind], -f.area_m2, f.codes)))


@dataclass(frozen=True, eq=False)
class _Ground:
    """The polygons that can be compared: broken ones stand in by what `make_valid` makes of them."""

    geometries: Geometries
    codes: tuple[str, ...]
    tolerance_m: float
    loose: Geometries
    """Edges that match no neighbour's, of each row; empty lines where all do."""
    tree: shapely.STRtree

    @classmethod
    def of(cls, array: Geometries, codes: Sequence[str], usable: Rows, tolerance_m: float) -> _Ground:
        rows = np.flatnonzero(usable)
        standing = array[rows]
        broken = ~shapely.is_valid(standing)
        standing[broken] = polygons_only(shapely.make_valid(standing[broken]))
        loose: Geometries = shapely.coverage_invalid_edges(standing)
        tree = shapely.STRtree(standing)
        return cls(standing, tuple(codes[k] for k in rows.tolist()), tolerance_m, loose, tree)

    @property
    def loose_rows(self) -> Ints:
        return np.flatnonzero(~shapely.is_empty(self.loose))


def _check_each(array: Geometries, codes: Sequence[str]) -> tuple[list[Finding], Rows]:
    """Check 1: each area is a valid polygon. Returns also which rows have ground at all."""
    polygonal = np.isin(shapely.get_type_id(array), (3, 6)) & ~shapely.is_empty(array)
    findings = [
        Finding("empty", "error", (codes[k],), 0.0, 0.0, f"{codes[k]} has no ground: {_what(array[k])}.")
        for k in np.flatnonzero(~polygonal).tolist()
    ]
    for k in np.flatnonzero(polygonal & ~shapely.is_valid(array)).tolist():
        reason = str(shapely.is_valid_reason(array[k]))
        lon, lat = _place_in(reason, array[k])
        words = reason.split("[")[0].strip().lower()
        message = f"{codes[k]} is not a valid polygon: {words} at {lon:.6f}, {lat:.6f}."
        findings.append(Finding("invalid", "error", (codes[k],), lon, lat, message))
    return findings, polygonal


def _what(geometry: BaseGeometry | None) -> str:
    if geometry is None:
        return "no geometry"
    return "an empty geometry" if geometry.is_empty else f"a {geometry.geom_type}"


def _place_in(reason: str, geometry: BaseGeometry) -> tuple[float, float]:
    found = re.search(r"\[(\S+) (\S+)\]", reason)
    if found:
        return float(found[1]), float(found[2])
    west, south, east, north = geometry.bounds
    return (west + east) / 2, (south + north) / 2


def _find_overlaps(ground: _Ground, meeting: _Meeting) -> list[Finding]:
    """Check 3: ground that two areas claim, one finding per pair, with its widest place."""
    pieces = measure_pieces(meeting.shared, least_width_m=ground.tolerance_m)
    findings = []
    for pair, widest, area in _by_source(pieces):
        a, b = ground.codes[meeting.first[pair]], ground.codes[meeting.second[pair]]
        message = f"{a} and {b} overlap by {_area(area)}, up to {_metres(pieces.width_m[widest])} wide."
        findings.append(_finding("overlap", "error", (a, b), pieces, widest, message, area_m2=area))
    return findings


def _by_source(pieces: Pieces) -> list[tuple[int, int, float]]:
    """Return for each row that has pieces: the row, the number of its widest piece, and the area of all."""
    if len(pieces) == 0:
        return []
    order = np.lexsort((-pieces.width_m, pieces.source))
    sources, first = np.unique(pieces.source[order], return_index=True)
    areas = np.add.reduceat(pieces.area_m2[order], first)
    return list(zip(sources.tolist(), order[first].tolist(), areas.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class _Meeting:
    """Pairs of rows that meet, of which one has loose edges, and what they share: only those can overlap."""

    first: Ints
    second: Ints
    shared: Geometries

    @classmethod
    def of(cls, ground: _Ground) -> _Meeting:
        rows = ground.loose_rows
        asked, met = ground.tree.query(ground.geometries[rows], predicate="intersects")
        ends = np.column_stack([np.minimum(rows[asked], met), np.maximum(rows[asked], met)])
        first, second = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0).T.astype(np.int64)
        return cls(first, second, shapely.intersection(ground.geometries[first], ground.geometries[second]))


def _find_loose_edges(ground: _Ground, told: set[str]) -> list[Finding]:
    """Check 2: edges that match no neighbour's, of areas that no overlap has told of."""
    findings = []
    rows = [k for k in ground.loose_rows if ground.codes[k] not in told]
    for k, length in zip(rows, length_m(ground.loose[rows]), strict=True):
        lon, lat = _middle(ground.loose[k])
        message = (
            f"{ground.codes[k]} has {_metres(length)} of border that does not match its neighbour's vertex by vertex."
        )
        findings.append(Finding("edge", "error", (ground.codes[k],), lon, lat, message, length_m=float(length)))
    return findings


def _middle(lines: BaseGeometry) -> tuple[float, float]:
    """Return the point half-way along the first of some lines."""
    points: Geometries = shapely.line_interpolate_point(shapely.get_parts(lines)[:1], 0.5, normalized=True)
    lon, lat = shapely.get_coordinates(points)[0].tolist()
    return lon, lat


def _find_gaps(ground: _Ground, outline: BaseGeometry | None, hole_m: float) -> list[Finding]:
    """Check 4: ground of nobody, within the outline or enclosed by the areas."""
    union = _union(ground.geometries, matched=len(ground.loose_rows) == 0)
    if outline is not None:
        empty: BaseGeometry = shapely.Polygon() if _is_same(outline, union) else shapely.difference(outline, union)
        rim = shapely.boundary(outline)
        shapely.prepare(rim)
    else:
        empty = shapely.MultiPolygon([shapely.Polygon(ring) for part in _parts(union) for ring in part.interiors])
        empty = shapely.difference(empty, union) if not empty.is_empty else empty
        rim = None
    pieces = measure_pieces(np.array([empty], dtype=object), least_width_m=ground.tolerance_m)
    findings = []
    for k, piece in enumerate(pieces.polygons):
        around = ground.tree.query(piece, predicate="dwithin", distance=2 * STEP)
        codes = tuple(sorted(ground.codes[n] for n in around))
        size = f"{_area(pieces.area_m2[k])}, up to {_metres(pieces.width_m[k])} wide"
        kind, severity, message = "gap", "error", f"Nobody's ground between {_named(codes)}: {size}."
        if rim is not None and shapely.intersects(rim, piece):
            kind, message = "inlet", f"Nobody's ground at the rim, beside {_named(codes)}: {size}."
        elif rim is None and pieces.width_m[k] > hole_m:
            kind, severity = "hole", "warning"
            message = f"A hole of {size}, within {_named(codes)}: intended, or is an area missing?"
        findings.append(_finding(kind, severity, codes, pieces, k, message))
    return findings


def _find_nesting(ground: _Ground, parents: Parents, groups: Sequence[str]) -> list[Finding]:
    """Check 5: each area lies in its parent; each parent has areas."""
    numbers = {code: k for k, code in enumerate(parents.codes)}
    borders = np.asarray(parents.geometries, dtype=object)
    findings = [_childless(code, borders[numbers[code]]) for code in parents.codes if code not in set(groups)]
    orphans = [k for k, group in enumerate(groups) if group not in numbers]
    for k in orphans:
        lon, lat = _place(ground.geometries[k])
        words = f"names the unknown parent {groups[k]}" if groups[k] else "names no parent"
        findings.append(Finding("no_parent", "error", (ground.codes[k],), lon, lat, f"{ground.codes[k]} {words}."))
    rows = np.array([k for k, group in enumerate(groups) if group in numbers], dtype=np.int64)
    of = np.array([numbers[groups[k]] for k in rows], dtype=np.int64)
    out = _reaching_out(ground, rows, borders, of)
    rows, of = rows[out], of[out]
    pieces = measure_pieces(shapely.difference(ground.geometries[rows], borders[of]), least_width_m=ground.tolerance_m)
    for n, widest, area in _by_source(pieces):
        child, parent = ground.codes[rows[n]], parents.codes[of[n]]
        message = f"{child} reaches out of {parent} by {_area(area)}, up to {_metres(pieces.width_m[widest])} wide."
        findings.append(_finding("nesting", "error", (child, parent), pieces, widest, message, area_m2=area))
    return findings


def _reaching_out(ground: _Ground, rows: Ints, borders: Geometries, of: Ints) -> Rows:
    """Return which rows are not covered by their parents: parent by parent where borders match, which is quicker."""
    doubtful = np.ones(len(rows), dtype=np.bool_)
    if len(ground.loose_rows) == 0:
        for parent in np.unique(of).tolist():
            children = of == parent
            union = shapely.coverage_union_all(ground.geometries[rows[children]])
            if _is_same(union, borders[parent]) or shapely.covers(borders[parent], union):
                doubtful[children] = False
    asked = np.flatnonzero(doubtful)
    shapely.prepare(borders[of[asked]])
    out = np.zeros(len(rows), dtype=np.bool_)
    out[asked] = ~shapely.covers(borders[of[asked]], ground.geometries[rows[asked]])
    return out


def _is_same(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Return whether two borders are the same vertex by vertex, but for where rings start and the order of parts."""
    return bool(shapely.equals_exact(one, other, tolerance=0.0, normalize=True))


def _childless(code: str, border: BaseGeometry) -> Finding:
    lon, lat = _place(border)
    return Finding("childless", "error", (code,), lon, lat, f"No area lies in {code}.")


def _find_parts(ground: _Ground) -> list[Finding]:
    """Check 6: areas in several parts; the place is that of the smallest part."""
    findings = []
    for k in np.flatnonzero(shapely.get_num_geometries(ground.geometries) > 1):
        pieces = measure_pieces(ground.geometries[k : k + 1])
        least = int(np.argmin(pieces.area_m2))
        message = f"{ground.codes[k]} has {len(pieces)} parts, the smallest of {_area(pieces.area_m2[least])}."
        findings.append(_finding("parts", "warning", (ground.codes[k],), pieces, least, message))
    return findings


def _find_apart(ground: _Ground, meeting: _Meeting, groups: Sequence[str], parents: Parents | None) -> list[Finding]:
    """Check 6: the areas of one parent hang together by shared borders; touching in a point is not enough.

    A parent of several parts may have as many groups of areas.
    """
    names, group = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    a, b = shared_borders(ground.geometries)
    along = (shapely.length(meeting.shared) > 0) | (shapely.area(meeting.shared) > 0)
    a, b = np.concatenate([a, meeting.first[along]]), np.concatenate([b, meeting.second[along]])
    kept = group[a] == group[b]
    size = len(groups)
    joined = coo_array((np.ones(int(kept.sum())), (a[kept], b[kept])), shape=(size, size))
    _, component = connected_components(joined, directed=False)
    allowed: dict[str, int] = {}
    if parents is not None:
        counted = shapely.get_num_geometries(np.asarray(parents.geometries, dtype=object)).tolist()
        allowed = dict(zip(parents.codes, counted, strict=True))
    findings = []
    for k, name in enumerate(names):
        members = np.flatnonzero(group == k)
        labels, counts = np.unique(component[members], return_counts=True)
        if len(labels) <= allowed.get(name, 1):
            continue
        for label in labels[np.argsort(-counts, kind="stable")][1:]:
            apart = members[component[members] == label]
            codes = tuple(ground.codes[n] for n in apart)
            lon, lat = _place(ground.geometries[apart[0]])
            message = f"{_named(codes)} shares no border with the rest of {name or 'the level'}."
            findings.append(Finding("contiguity", "warning", codes, lon, lat, message))
    return findings


def shared_borders(geometries: Iterable[BaseGeometry | None]) -> tuple[Ints, Ints]:
    """Return the pairs of rows, smaller first, that share at least one edge, vertex by vertex."""
    table = RingTable.of(geometries)
    edges = table.edges()
    plane = table.points[:, :2]
    # Equal edges, whatever their direction, have the same sum of their ends' hashes: one sort puts them side by side.
    mixed = point_hashes(plane)
    order = np.argsort(mixed[edges] + mixed[edges + 1], kind="stable")
    ranked = edges[order]
    one, other = ranked[:-1], ranked[1:]
    # The coordinates themselves then decide.
    same = equal_points(plane, one, other) & equal_points(plane, one + 1, other + 1)
    same |= equal_points(plane, one, other + 1) & equal_points(plane, one + 1, other)
    rows = table.row
    a, b = rows[one[same]], rows[other[same]]
    count = len(table.geometries)
    pairs = np.unique(np.minimum(a, b)[a != b] * count + np.maximum(a, b)[a != b])
    return pairs // max(count, 1), pairs % max(count, 1)


def _find_load(array: Geometries, codes: Sequence[str], options: CheckOptions) -> list[Finding]:
    """Check 6: areas whose households lie outside the band."""
    if options.households is None or options.household_band is None:
        return []
    low, high = options.household_band
    findings = []
    for code, geometry, count in zip(codes, array, options.households, strict=True):
        if count is None or low <= count <= high or geometry is None or geometry.is_empty:
            continue
        lon, lat = _place(geometry)
        words = (
            f"{code} has {count} households, {'fewer than ' + str(low) if count < low else 'more than ' + str(high)}."
        )
        findings.append(Finding("load", "warning", (code,), lon, lat, words))
    return findings


def _union(geometries: Geometries, matched: bool) -> BaseGeometry:
    """Return the union: along shared edges where all match, else by the slower way that bears overlaps."""
    if matched:
        union: BaseGeometry = shapely.coverage_union_all(geometries)
        return union
    whole: BaseGeometry = shapely.union_all(geometries)
    return whole


def _parts(geometry: BaseGeometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon)]


def _place(geometry: BaseGeometry) -> tuple[float, float]:
    """Return a point inside."""
    lon, lat = shapely.get_coordinates(shapely.point_on_surface(geometry))[0].tolist()
    return lon, lat


def _finding(
    kind: str, severity: str, codes: tuple[str, ...], pieces: Pieces, k: int, message: str, area_m2: float | None = None
) -> Finding:
    area = float(pieces.area_m2[k]) if area_m2 is None else area_m2
    place = float(pieces.lon[k]), float(pieces.lat[k])
    return Finding(kind, severity, codes, *place, message, area, float(pieces.width_m[k]), float(pieces.length_m[k]))


def _named(codes: Sequence[str]) -> str:
    shown = ", ".join(codes[:NAMED])
    return f"{shown} and {len(codes) - NAMED} more" if len(codes) > NAMED else shown or "no area"


def _area(value_m2: float) -> str:
    return (
        f"{value_m2 / 1e6:.2f} km2"
        if value_m2 >= 1e6
        else f"{value_m2:.0f} m2"
        if value_m2 >= 10
        else f"{value_m2:.2g} m2"
    )


def _metres(value_m: float) -> str:
    return (
        f"{value_m / 1000:.1f} km" if value_m >= 10_000 else f"{value_m:.0f} m" if value_m >= 10 else f"{value_m:.2g} m"
    )
