"""Seeded ground for figures: a city of N areas with wiggly shared borders, and a million points, mostly in clusters.

Areas are the Voronoi cells of random points within an outline of about 20 km radius, about 61 vertices each. Every
border between two cells is bent once, inside the diamond that it and the two points span, and used by both: so they
cannot cross, and the areas are a coverage. Everything lies on the lattice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Voronoi

from mapsvc.geo.lattice import snap_coordinates

RADIUS_M = 20_000.0
CENTRE = (114.3, 30.6)
METRES_PER_DEGREE = (95_800.0, 110_900.0)
STEPS_PER_BORDER = 10.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def to_degrees(xy_m: Floats) -> Floats:
    """Return metres around the centre as degrees on the lattice."""
    return snap_coordinates(np.array(CENTRE) + xy_m / np.array(METRES_PER_DEGREE))


def within_outline(xy_m: Floats, factor: float = 1.0) -> NDArray[np.bool_]:
    angle = np.arctan2(xy_m[:, 1], xy_m[:, 0])
    radius = 1 + 0.12 * np.sin(3 * angle + 1) + 0.07 * np.sin(5 * angle + 2) + 0.04 * np.sin(9 * angle)
    return np.hypot(xy_m[:, 0], xy_m[:, 1]) < factor * RADIUS_M * radius


def make_areas(count: int, seed: int = 1) -> NDArray[np.object_]:
    """Return `count` areas that share wiggly borders exactly."""
    rng = np.random.default_rng(seed)
    span = 1.35 * RADIUS_M
    seeds = rng.uniform(-span, span, (int(count * 2.6) + 4_000, 2))
    inside = within_outline(seeds)
    cut = np.flatnonzero(inside)[count]
    seeds, inside = seeds[:cut], inside[:cut]
    around = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    frame = np.column_stack([np.cos(around), np.sin(around)]) * 2.2 * span
    cells = Voronoi(np.vstack([seeds, frame]))
    kept = np.concatenate([inside, np.zeros(len(frame), np.bool_)])
    used = kept[cells.ridge_points].any(axis=1)
    return _rings(cells.points, kept, _bend(rng, cells, used))


@dataclass(frozen=True)
class Borders:
    """Borders between two cells each: vertices from `starts[k]` to `starts[k + 1]`, the last of each in `ends`."""

    cells: Ints
    xy_m: Floats
    starts: Ints
    ends: Floats


def _bend(rng: np.random.Generator, cells: Voronoi, used: NDArray[np.bool_]) -> Borders:
    between = cells.ridge_points[used]
    at = np.asarray(cells.ridge_vertices)[used]
    begin, end = cells.vertices[at[:, 0]], cells.vertices[at[:, 1]]
    length = np.maximum(np.hypot(*(end - begin).T), 1e-9)
    along = (end - begin) / length[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    middle = cells.points[between[:, 0]] - begin
    foot, height = (middle * along).sum(1), np.abs((middle * across).sum(1))
    steps = np.maximum(1, np.round(STEPS_PER_BORDER * length / length.mean())).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(steps)])
    of = np.repeat(np.arange(len(steps)), steps)
    j = np.arange(starts[-1]) - starts[of]
    s = (j + np.where(j > 0, rng.uniform(-0.3, 0.3, len(j)), 0)) / steps[of] * length[of]
    before = np.where(foot[of] > 0, s / np.maximum(foot[of], 1e-12), np.inf)
    after = np.where(foot[of] < length[of], (length[of] - s) / np.maximum(length[of] - foot[of], 1e-12), np.inf)
    room = height[of] * np.minimum(before, after)
    aside = np.where(j > 0, np.minimum(0.45 * room, 0.12 * length[of]) * rng.uniform(-1, 1, len(j)), 0)
    return Borders(between, begin[of] + s[:, None] * along[of] + aside[:, None] * across[of], starts, end)


def _rings(points: Floats, kept: NDArray[np.bool_], borders: Borders) -> NDArray[np.object_]:
    """Join the borders of each cell, in order around its point, to one ring."""
    count = len(borders.starts) - 1
    cell = np.concatenate([borders.cells[:, 0], borders.cells[:, 1]])
    border = np.concatenate([np.arange(count), np.arange(count)])
    mine = kept[cell]
    cell, border = cell[mine], border[mine]
    begin = borders.xy_m[borders.starts[:-1]][border] - points[cell]
    end = borders.ends[border] - points[cell]
    ahead = begin[:, 0] * end[:, 1] - begin[:, 1] * end[:, 0] > 0
    middle = (begin + end) / 2
    order = np.lexsort([np.arctan2(middle[:, 1], middle[:, 0]), cell])
    cell, border, ahead = cell[order], border[order], ahead[order]
    steps = np.diff(borders.starts)[border]
    first = np.concatenate([[0], np.cumsum(steps)])
    of = np.repeat(np.arange(len(steps)), steps)
    j = np.arange(first[-1]) - first[of]
    start = borders.starts[border][of]
    # Backwards a border begins with its end and leaves out its begin, which is the next one's.
    source = np.where(ahead[of], start + j, np.minimum(start + steps[of] - j, len(borders.xy_m) - 1))
    from_end = ~ahead[of] & (j == 0)
    xy_m = np.where(from_end[:, None], borders.ends[border][of], borders.xy_m[source])
    _, heads = np.unique(cell, return_index=True)
    ring_starts = first[heads]
    sizes = np.diff(np.append(ring_starts, len(xy_m)))
    offsets = np.concatenate([[0], np.cumsum(sizes + 1)])
    ring = np.empty((offsets[-1], 2))
    ring[np.arange(len(xy_m)) + np.repeat(np.arange(len(sizes)), sizes)] = to_degrees(xy_m)
    ring[offsets[1:] - 1] = ring[offsets[:-1]]
    polygons: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, ring, (offsets, np.arange(len(sizes) + 1))
    )
    return polygons


def make_points(count: int = 1_000_000, seed: int = 7) -> Floats:
    """Return points in degrees, shuffled: 68 % in 60 clusters, 30 % anywhere inside, 2 % outside."""
    rng = np.random.default_rng(seed)
    outside, anywhere = count // 50, count * 3 // 10
    centres = rng.uniform(-RADIUS_M, RADIUS_M, (400, 2))
    centres = centres[within_outline(centres, 0.8)][:60]
    spread_m = rng.uniform(200, 2_500, len(centres))
    weight = rng.dirichlet(np.ones(len(centres)))
    chosen = rng.choice(len(centres), 2 * count, p=weight)
    clustered = centres[chosen] + rng.normal(size=(2 * count, 2)) * spread_m[chosen][:, None]
    even = rng.uniform(-1.3 * RADIUS_M, 1.3 * RADIUS_M, (2 * count, 2))
    near, far = within_outline(even, 0.95), ~within_outline(even, 1.08)
    points = np.vstack(
        [
            clustered[within_outline(clustered, 0.95)][: count - outside - anywhere],
            even[near][:anywhere],
            even[far][:outside],
        ]
    )
    rng.shuffle(points)
    return to_degrees(points)
