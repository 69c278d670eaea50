"""Figures of maps at scale, each beside its peer in the same run: `python -m tests.bench.tiles`.

Border tiles against shapely's clip and the encoder of `mapbox-vector-tile`; groups of cases against sorting the same
points into cells anew for each tile; heat against `numpy.histogram2d` with the same smoothing; and the page of folium's
own GeoJson and MarkerCluster against what our map of the same ground and cases is sent. Medians of rounds in turn.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import time
from collections.abc import Callable

import folium
import mapbox_vector_tile
import numpy as np
import orjson
import shapely
from folium.plugins import MarkerCluster
from scipy.ndimage import gaussian_filter

from mapsvc.geo import heat
from mapsvc.geo.geojson import SCREEN_DIGITS, encode_features
from mapsvc.geo.tiles import clusters, mvt
from mapsvc.geo.tiles.areas import Areas
from mapsvc.geo.tiles.mercator import Tile, morton, morton_range, to_unit
from tests.bench.ground import CENTRE, make_areas, make_points

Ways = dict[str, Callable[[], object]]


def medians(ways: Ways, rounds: int) -> dict[str, float]:
    """Return the median seconds of each way, all taking turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, seconds: dict[str, float], peer: str) -> None:
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:34} {value * 1e3:10.2f} ms   {seconds[peer] / value:8.1f} x the peer's speed")


def tile_over(lon: float, lat: float, z: int) -> Tile:
    x, y = to_unit([lon], [lat])
    return Tile(z, int(x[0] * 2**z), int(y[0] * 2**z))


def measure_borders(count: int, rounds: int) -> None:
    shapes = make_areas(count)
    labels = shapely.get_coordinates(shapely.point_on_surface(shapes))
    codes = [f"{number:06d}" for number in range(count)]
    areas = Areas(shapes, labels, codes, codes)
    start = time.perf_counter()
    areas.prepare(9)
    print(f"\n{count} areas simplified for zooms 14 to 9 in {time.perf_counter() - start:.2f} s")
    for z in (10, 12, 14):
        tile = tile_over(*CENTRE, z)
        drawn = areas._by_zoom[z]

        def peer(tile: Tile = tile, drawn: object = drawn) -> bytes:
            geometries, numbers = drawn.within(tile)  # type: ignore[attr-defined]
            cut = mvt.clip(geometries, tile)
            features = [
                {"geometry": one, "id": number, "properties": {}}
                for one, number in zip(cut, numbers.tolist(), strict=True)
                if not one.is_empty
            ]
            layer = {"name": "areas", "features": features}
            options = {"quantize_bounds": tile.box, "y_coord_down": True}
            return gzip.compress(mapbox_vector_tile.encode(layer, default_options=options), 5)

        def ours(tile: Tile = tile) -> bytes:
            return gzip.compress(areas.encode(tile), 5)

        found = medians({"ours, with labels": ours, "mapbox-vector-tile": peer}, rounds)
        show(f"{count} areas, zoom {z}: {len(ours())} bytes, theirs {len(peer())}", found, "mapbox-vector-tile")


def measure_cases(count: int, rounds: int) -> None:
    points = make_points(count)
    lon, lat = points[:, 0], points[:, 1]
    x, y = to_unit(lon, lat)
    numbers = morton(x, y)
    order = np.argsort(numbers)
    sx, sy, sorted_numbers = x[order], y[order], numbers[order]
    for z in (10, 13):
        tile = tile_over(*CENTRE, z)

        def ours(tile: Tile = tile) -> object:
            low, high = np.searchsorted(sorted_numbers, np.array(morton_range(tile), np.uint64))
            return clusters.group(sorted_numbers[low:high], sx[low:high], sy[low:high], tile)

        def peer(tile: Tile = tile) -> object:
            x0, y0, x1, y1 = tile.box
            mine = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
            cell = ((x[mine] - x0) / tile.side * 4).astype(int) * 4 + ((y[mine] - y0) / tile.side * 4).astype(int)
            return np.unique(cell, return_counts=True)

        show(
            f"{count} cases, groups of a tile at zoom {z}",
            medians({"ours": ours, "cells anew": peer}, rounds),
            "cells anew",
        )
    box = (lon.min(), lat.min(), lon.max(), lat.max())
    frame = heat.make_frame(box, 150.0)
    edges = [
        frame.south + np.arange(frame.rows + 1) * frame.dlat,
        frame.west + np.arange(frame.columns + 1) * frame.dlon,
    ]

    def by_histogram() -> object:
        return gaussian_filter(np.histogram2d(lat, lon, bins=edges)[0], heat.CELLS_PER_WIDTH, mode="constant")

    ways: Ways = {"ours": lambda: heat.density(frame, lon, lat), "histogram2d, gaussian_filter": by_histogram}
    title = f"{count} cases, heat of the whole city, {frame.columns} x {frame.rows} cells"
    show(title, medians(ways, rounds), "histogram2d, gaussian_filter")


def measure_page(rounds: int) -> None:
    """What the server makes and sends for 839 areas and 20,000 cases: folium's own page, and our data."""
    shapes, points = make_areas(839), make_points(20_000)
    x, y = to_unit(points[:, 0], points[:, 1])
    order = np.argsort(morton(x, y))
    sx, sy, numbers = x[order], y[order], morton(x, y)[order]
    centre = tile_over(*CENTRE, 12)
    view = [Tile(12, centre.x + dx, centre.y + dy) for dx in range(-3, 4) for dy in range(-2, 3)]

    def theirs() -> bytes:
        made = folium.Map(location=CENTRE[::-1], zoom_start=12)
        folium.GeoJson(shapely.to_geojson(shapely.geometrycollections(shapes))).add_to(made)
        group = MarkerCluster().add_to(made)
        for lon, lat in points.tolist():
            folium.Marker((lat, lon)).add_to(group)
        return made.get_root().render().encode()

    def ours() -> list[bytes]:
        borders = encode_features(list(shapes), [{} for _ in shapes], ids=list(range(839)), digits=SCREEN_DIGITS)
        tiles = []
        for tile in view:
            low, high = np.searchsorted(numbers, np.array(morton_range(tile), np.uint64))
            found = clusters.group(numbers[low:high], sx[low:high], sy[low:high], tile)
            tiles.append(
                orjson.dumps(
                    {"x": found.x.round(1).tolist(), "y": found.y.round(1).tolist(), "n": found.counts.tolist()}
                )
            )
        return [borders, *tiles]

    found = medians({"ours": ours, "folium": theirs}, rounds)
    sizes = [sum(map(len, ours())), sum(len(gzip.compress(part, 5)) for part in ours())]
    page = theirs()
    told = f"{sizes[0]} bytes, {sizes[1]} gzipped; folium {len(page)}, {len(gzip.compress(page, 5))} gzipped"
    show(f"839 areas and 20000 cases, a whole view: {told}", found, "folium")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--areas", default="839,10000", help="numbers of areas, with commas; 100000 takes minutes")
    options.add_argument("--cases", default="20000,1000000", help="numbers of cases, with commas")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    for count in map(int, given.areas.split(",")):
        measure_borders(count, given.rounds)
    for count in map(int, given.cases.split(",")):
        measure_cases(count, given.rounds)
    measure_page(given.rounds)


if __name__ == "__main__":
    main()
