"""Figures of `areas check`: all six checks of N areas, beside what people do without: `python -m tests.bench.coverage`.

The peer is the usual way of finding overlaps and gaps: an STRtree self-join, the intersection of each pair, and the
holes of the union. It knows of no nesting, contiguity or edges that do not match. `coverage_is_valid` is shown as the
lowest bound: one answer, no place, no size. Figures are medians of rounds in which all take turns. A repair of the
same areas, each shaken by up to 10 cm, follows for the first 1,600.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.coverage import Parents, check_coverage, repair_coverage
from mapsvc.geo.lattice import snap_geometries
from tests.bench.ground import make_areas

Geometries = NDArray[np.object_]


def make_parents(areas: Geometries, count: int) -> Parents:
    """Return parents made of neighbours by their longitude."""
    order = np.argsort(shapely.get_x(shapely.centroid(areas)))
    of = np.empty(len(areas), dtype=np.int64)
    of[order] = np.arange(len(areas)) * count // len(areas)
    unions = [shapely.coverage_union_all(areas[of == k]) for k in range(count)]
    return Parents([f"P{k:03d}" for k in range(count)], unions, [f"P{k:03d}" for k in of])


def by_overlay(areas: Geometries) -> tuple[int, int]:
    """Return the number of overlapping pairs and of holes, the usual way."""
    tree = shapely.STRtree(areas)
    first, second = tree.query(areas, predicate="intersects")
    pairs = first < second
    shared = shapely.area(shapely.intersection(areas[first[pairs]], areas[second[pairs]]))
    union = shapely.union_all(areas)
    holes = sum(len(part.interiors) for part in shapely.get_parts(union))
    return int((shared > 1e-14).sum()), holes


def measured(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median seconds of each way, all taking turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--areas", default="839,10000", help="numbers of areas, with commas")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    for count in (int(text) for text in given.areas.split(",")):
        areas = make_areas(count)
        codes = [f"{k:06d}" for k in range(len(areas))]
        parents = make_parents(areas, 20)
        assert not [f for f in check_coverage(areas, codes, parents=parents) if f.severity == "error"]
        ways: dict[str, Callable[[], object]] = {
            "six checks, with parents": lambda: check_coverage(areas, codes, parents=parents),  # noqa: B023 - used at once
            "checks, no parents": lambda: check_coverage(areas, codes),  # noqa: B023
            "self-join and union": lambda: by_overlay(areas),  # noqa: B023
            "coverage_is_valid": lambda: shapely.coverage_is_valid(areas),  # noqa: B023
        }
        print(f"\n{count} areas, {shapely.get_num_coordinates(areas).sum()} vertices")
        seconds = measured(ways, given.rounds)
        for name, value in seconds.items():
            print(f"  {name:28} {value:8.3f} s   {value / seconds['self-join and union']:6.2f} x the peer")
    some = areas[:1600]
    rng = np.random.default_rng(1)
    shaken = snap_geometries([shapely.transform(area, lambda c: c + rng.uniform(-1e-6, 1e-6, 2)) for area in some])
    start = time.perf_counter()
    preview = repair_coverage(shaken, codes[: len(some)], snapping_m=0.3, gap_m=0.5)
    spent = time.perf_counter() - start
    moved = f"{len(preview.moved)} pieces moved, clean: {preview.is_clean}"
    print(f"\nrepair of {len(some)} shaken areas: {spent:.2f} s, {moved}")


if __name__ == "__main__":
    main()
