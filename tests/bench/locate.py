"""Figures of the cell index, each beside its peers in the same run: `python -m tests.bench.locate --areas 839,10000`.

Prints a table per number of areas: bulk assignment of points against geopandas.sjoin and STRtree.query, the time and
memory of building, saving and opening, one look-up against STRtree.query of one point. Figures are medians of rounds
in which all methods take turns; ratios are what to quote. Before anything is timed all answers are compared.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import platform
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from mapsvc.geo.locate.index import AreaIndex
from tests.bench.ground import make_areas, make_points

Numbers = NDArray[np.int32]

AIMS = {839: (50, 1.0, 150), 10_000: (30, 1.0, 150), 100_000: (25, 6.0, 400)}


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def take_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median of each call's seconds over rounds in which each is called once, after one round unmeasured."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            took = seconds(call)
            if turn:
                times[name].append(took)
    return {name: statistics.median(values) for name, values in times.items()}


def smallest(rows: NDArray[np.int64], numbers: NDArray[np.int64], count: int) -> Numbers:
    answer = np.full(count, np.iinfo(np.int32).max, np.int32)
    np.minimum.at(answer, rows, numbers.astype(np.int32))
    answer[answer == np.iinfo(np.int32).max] = -1
    return answer


def bench_bulk(areas: NDArray[np.object_], points: NDArray[np.float64], index: AreaIndex, rounds: int) -> None:
    made = shapely.points(points)
    left = gpd.GeoDataFrame(geometry=made, crs=4326)
    right = gpd.GeoDataFrame({"number": np.arange(len(areas))}, geometry=areas, crs=4326)
    shapely.prepare(areas)
    tree = shapely.STRtree(areas)
    lon, lat = points[:, 0].copy(), points[:, 1].copy()
    joined = gpd.sjoin(left, right, how="left", predicate="within")
    by_join = joined["number"].fillna(-1).groupby(level=0).min().to_numpy().astype(np.int32)
    differ = {
        "sjoin within": int((index.locate(lon, lat) != by_join).sum()),
        "STRtree.query": int(
            (index.locate(lon, lat) != smallest(*tree.query(made, predicate="intersects"), len(points))).sum()
        ),
    }
    times = take_turns(
        {
            "AreaIndex.locate": lambda: index.locate(lon, lat),
            "AreaIndex.locate_points": lambda: index.locate_points(points),
            "sjoin within": lambda: gpd.sjoin(left, right, how="left", predicate="within"),
            "sjoin intersects": lambda: gpd.sjoin(left, right, how="left", predicate="intersects"),
            "STRtree.query": lambda: tree.query(made, predicate="intersects"),
        },
        rounds,
    )
    ours = times["AreaIndex.locate"]
    print(f"  bulk, {len(points):,} points      Mpt/s   index is   answers that differ")
    for name, took in times.items():
        ratio = "" if name.startswith("Area") else f"{took / ours:7.1f} x"
        print(f"    {name:<24}{len(points) / took / 1e6:8.2f}   {ratio:>9}   {differ.get(name, '')}")
    aim = AIMS.get(len(areas))
    if aim:
        print(f"    at least {aim[0]} x sjoin: {'reached' if times['sjoin within'] / ours >= aim[0] else 'MISSED'}")


def bench_single(areas: NDArray[np.object_], points: NDArray[np.float64], index: AreaIndex, rounds: int) -> None:
    tree = shapely.STRtree(areas)
    many, few = points[:20_000].tolist(), points[:2_000].tolist()

    def ask_index() -> None:
        for lon, lat in many:
            index.locate_one(lon, lat)

    def ask_tree() -> None:
        for lon, lat in few:
            tree.query(shapely.Point(lon, lat), predicate="intersects")

    times = take_turns({"index": ask_index, "tree": ask_tree}, rounds)
    ours, theirs = times["index"] / len(many) * 1e6, times["tree"] / len(few) * 1e6
    near = seconds(lambda: [index.candidates(lon, lat, 30.0) for lon, lat in few[:500]]) / 500 * 1e6
    print("  one point                     µs   index is")
    print(f"    AreaIndex.locate_one    {ours:8.2f}")
    print(f"    STRtree.query           {theirs:8.2f}   {theirs / ours:7.1f} x   (at least 10 x and at most 2 µs)")
    print(f"    AreaIndex.candidates    {near:8.1f}")


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def peak_of(call: Callable[[], object]) -> float:
    """Return by how many MiB the process grows at most during a call, looked at every 5 ms."""
    # Memory that was freed but kept for the next to come would hide what the call needs.
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    before = peak = resident_mib()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, resident_mib())

    watcher = threading.Thread(target=watch)
    watcher.start()
    call()
    done.set()
    watcher.join()
    return peak - before


def bench_build(areas: NDArray[np.object_], index: AreaIndex) -> None:
    took = statistics.median([seconds(lambda: AreaIndex.build(areas)) for _ in range(3)])
    peak_mib = peak_of(lambda: AreaIndex.build(areas))
    tree = statistics.median([seconds(lambda: shapely.STRtree(areas)) for _ in range(3)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        save = seconds(lambda: index.save(path))
        opened = seconds(lambda: AreaIndex.open(path))
        quick = seconds(lambda: AreaIndex.open(path, verify=False))
    coords_mib = shapely.get_num_coordinates(areas).sum() * 16 / 2**20
    print(f"  build {took:.2f} s (STRtree {tree:.3f} s), {peak_mib:.0f} MiB more at its peak")
    print(f"  size {index.nbytes / 2**20:.1f} MiB (coordinates {coords_mib:.1f} MiB)")
    print(f"  save {save:.2f} s, open {opened * 1e3:.0f} ms, without checksum {quick * 1e3:.1f} ms")
    aim = AIMS.get(len(areas))
    if aim:
        fine = took <= aim[1] and index.nbytes <= aim[2] * 2**20
        print(f"    at most {aim[1]} s and {aim[2]} MiB: {'reached' if fine else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--areas", default="839,10000,100000")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "shapely", "geopandas"))
    print(f"{platform.machine()}, Python {platform.python_version()}, {libraries}; one thread")
    points = make_points(options.points)
    for count in map(int, options.areas.split(",")):
        areas = make_areas(count)
        index = AreaIndex.build(areas)
        vertices = shapely.get_num_coordinates(areas).mean()
        print(f"\n{count:,} areas of {vertices:.1f} vertices, grid {index._cells.grid.nx} x {index._cells.grid.ny}")
        bench_bulk(areas, points, index, options.rounds)
        bench_single(areas, points, index, options.rounds)
        bench_build(areas, index)


if __name__ == "__main__":
    main()
