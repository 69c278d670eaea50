"""Patrols of a demo town on foot: along its streets, more often where patrols go more. Seeded, pure, without a store.

A walk goes from crossing to crossing and takes one of the streets there by chance, weighed by how much the ground
along it is walked. Such a walk spends its length on streets in proportion to their weight (a reversible chain whose
edges are conductors), so that findings, which follow the same weight, come out even when they are divided by the
kilometres: only where there is more to be found they stand out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.demo.town import Town
from mapsvc.geo.tracks import make_fixes
from mapsvc.patrols.rules.values import PatrolData

SPACE = UUID("0d2f6c0e-3f51-4c9f-9d0a-6a3b7f3c5e11")
WALK_M = (2_600.0, 4_400.0)
"""The shortest and the longest walk."""
SPEED_M_S = 1.15
FIX_S = 20.0
NOISE_M = 2.5
"""Standard deviation of the receiver, in either direction."""
BEGINS = ((8.6, 10.2), (14.2, 15.6))
"""Between which hours walks begin: in the morning, after noon."""
BESIDE_M = 25.0
"""What lies so close to a street is seen from it, and so is the ground of either side."""
STEEPER = 1.3
"""Walking differs a little more from street to street than finding does: who goes often sees less that is new."""
LEAST_OF_MEDIAN = 0.5
"""No street is walked less than this share of the median: nowhere is left out of a year's rounds."""
QUIET_DAYS = 7
"""For so many days one patch has not been walked: a sight that a patrol's page should show."""
KEPT_QUIET = ("market", "station", "college")
"""What is told of these is about their patrols, so the patch that was left out lies elsewhere."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Streets:
    """Streets as edges between crossings: ends, points of the middle line in metres, length, weight, patches beside.

    Edges are told from both ends: `at[node]` are numbers of edges.
    """

    ends: Ints
    points: tuple[Floats, ...]
    length_m: Floats
    weight: Floats
    beside: tuple[frozenset[str], ...]
    grid: Ints
    at: tuple[Ints, ...]


def make_streets(town: Town, effort: Floats) -> Streets:
    """Return the streets of a town; `effort` says for each grid how much it is walked."""
    frame, grids = town.land.frame, town.at("grid")
    roads = frame.geometries_to_metres([road.geometry for road in town.land.roads])
    lines = shapely.get_parts(shapely.line_merge(shapely.node(shapely.multilinestrings(shapely.get_parts(roads)))))
    lines = lines[shapely.length(lines) > 1.0]
    borders = frame.geometries_to_metres([grid.border for grid in grids])
    tree = shapely.STRtree(borders)
    edge, grid = tree.query(lines, predicate="dwithin", distance=BESIDE_M)
    mean = np.bincount(edge, effort[grid], len(lines)) / np.maximum(np.bincount(edge, minlength=len(lines)), 1)
    weight = np.maximum(mean**STEEPER, LEAST_OF_MEDIAN * float(np.median(mean[mean > 0])) * (mean > 0))
    lines, kept = lines[weight > 0], np.cumsum(weight > 0) - 1
    beside: list[set[str]] = [set() for _ in lines]
    for number, row in zip(edge.tolist(), grid.tolist(), strict=True):
        beside[int(kept[number])].add(grids[row].parents["patch"])
    weight = weight[weight > 0]
    first = shapely.get_coordinates(shapely.get_point(lines, 0))
    last = shapely.get_coordinates(shapely.get_point(lines, -1))
    _, node = np.unique(np.rint(np.vstack([first, last]) * 10), axis=0, return_inverse=True)
    ends = node.reshape(2, -1).T.astype(np.int64)
    at: list[list[int]] = [[] for _ in range(int(ends.max()) + 1)]
    for number, (one, other) in enumerate(ends.tolist()):
        at[one].append(number)
        if other != one:
            at[other].append(number)
    nearest = tree.nearest(shapely.line_interpolate_point(lines, 0.5, normalized=True)).astype(np.int64)
    return Streets(
        ends=ends,
        points=tuple(shapely.get_coordinates(line) for line in lines),
        length_m=shapely.length(lines),
        weight=weight,
        beside=tuple(frozenset(each) for each in beside),
        grid=nearest,
        at=tuple(np.array(each, np.int64) for each in at),
    )


def quiet_patch(town: Town) -> str:
    """Return the patch that was not walked of late: the first one that none of the places of note lies in or beside."""
    frame, patches = town.land.frame, town.at("patch")
    notes = [shapely.Point(x, y) for x, y, use in town.profile.plan.landmarks if use in KEPT_QUIET]
    shapes = frame.geometries_to_metres([patch.border for patch in patches])
    away = [patch.code for patch, shape in zip(patches, shapes, strict=True) if shape.distance(notes).min() > 300]
    return away[-1]


def walk_year(
    town: Town,
    effort: Floats,
    seed: int,
    is_workday: Callable[[date], bool],
    persons: Callable[[str], str],
    *,
    first: datetime,
    until: datetime,
    count: int,
) -> Iterator[PatrolData]:
    """Yield so many walks on the working days between two local moments, in the order of their beginnings.

    `persons` names the person_code of who walks from a grid, by its code. Nobody walks twice on one day.
    """
    rng = np.random.default_rng(seed + 8)
    streets = make_streets(town, effort)
    quiet, quiet_since = quiet_patch(town), until - timedelta(days=QUIET_DAYS)
    loud = np.where([quiet in beside for beside in streets.beside], 0.0, streets.weight)
    grids = town.at("grid")
    walked: set[tuple[date, str]] = set()
    for begins in _beginnings(rng, is_workday, first, until, count):
        weight = loud if begins.date() >= quiet_since.date() else streets.weight
        route, edge = _route(streets, weight, rng)
        code = persons(grids[int(streets.grid[edge])].code)
        if (begins.date(), code) in walked:
            continue
        patrol = _track(town, route, begins, code, rng)
        if patrol.fixes.at[-1] < until.timestamp():
            walked.add((begins.date(), code))
            yield patrol


def _beginnings(
    rng: np.random.Generator, is_workday: Callable[[date], bool], first: datetime, until: datetime, count: int
) -> list[datetime]:
    days = [first.date() + timedelta(days=day) for day in range((until.date() - first.date()).days + 1)]
    working = [day for day in days if is_workday(day)]
    found = []
    for day in (working[n] for n in rng.integers(len(working), size=count).tolist()):
        low, high = BEGINS[int(rng.integers(len(BEGINS)))]
        at = datetime.combine(day, time(), first.tzinfo) + timedelta(hours=float(rng.uniform(low, high)))
        if at >= first:
            found.append(at.replace(microsecond=0))
    return sorted(found)


def _route(streets: Streets, weight: Floats, rng: np.random.Generator) -> tuple[Floats, int]:
    """Return the vertices of a walk in metres, and the street on which it begins."""
    wanted = float(rng.uniform(*WALK_M))
    edge = begun = int(rng.choice(len(weight), p=weight / weight.sum()))
    side = int(rng.integers(2))
    pieces, length = [], 0.0
    while True:
        points = streets.points[edge]
        pieces.append(points if side == 0 else points[::-1])
        length += float(streets.length_m[edge])
        if length >= wanted:
            return np.vstack(pieces), begun
        node = int(streets.ends[edge, 1 - side])
        choices = streets.at[node]
        share = weight[choices]
        edge = int(choices[np.searchsorted(np.cumsum(share), rng.random() * share.sum(), side="right")])
        side = 0 if int(streets.ends[edge, 0]) == node else 1


def _track(town: Town, route: Floats, begins: datetime, code: str, rng: np.random.Generator) -> PatrolData:
    """Return a patrol along a route: a fix every 20 seconds, with the noise of a receiver."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(route, axis=0).T))])
    at_m = np.arange(0.0, along[-1], SPEED_M_S * FIX_S)
    x = np.interp(at_m, along, route[:, 0]) + rng.normal(0, NOISE_M, len(at_m))
    y = np.interp(at_m, along, route[:, 1]) + rng.normal(0, NOISE_M, len(at_m))
    lon, lat = town.land.frame.from_metres(x, y)
    moments = begins.timestamp() + at_m / SPEED_M_S
    accuracy = np.round(rng.uniform(4.0, 14.0, len(at_m)), 1)
    fixes = make_fixes(moments, np.round(lon, 7), np.round(lat, 7), accuracy)
    return PatrolData(uuid5(SPACE, f"{code} {begins.isoformat()}"), code, "foot", fixes, "demo")
