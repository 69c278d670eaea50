"""Heat: the density of points in cases per square kilometre, smoothed over a stated number of metres.

The kernel is a Gaussian whose standard deviation is the width in metres, the same at every zoom and in every
direction: a raster in longitude and latitude whose cells are measured in metres row by row, never a raster of web
Mercator or of pixels. A picture of it can therefore be compared with another one, and its legend holds on every tile.

Counts alone show where people look. `ratio` divides a density by another one, of kilometres walked for instance, and
keeps apart the ground where the denominator is too small to tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.measure import WGS84_A_M, WGS84_E2, distance_m
from mapsvc.geo.tiles.mercator import Tile
from mapsvc.geo.tiles.raster import pixel_centres

CELLS_PER_WIDTH = 3.0
"""Cells that the width of the kernel spans."""

TRUNCATE = 4.0
"""Where the kernel ends, in widths."""

MOST_CELLS = 2048
"""Cells along one side of a raster; a width that would need more is refused for so large a region."""

LEAST_WIDTH_M, MOST_WIDTH_M = 20.0, 20_000.0
SAME_WIDTH = 0.005
"""A row's metres per degree may differ by this share from those of its band."""

Floats = NDArray[np.float32]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class HeatFrame:
    """The raster: `columns` x `rows` cells from the south-west corner, `dlon` x `dlat` degrees each (WGS 84)."""

    west: float
    south: float
    dlon: float
    dlat: float
    columns: int
    rows: int
    width_m: float

    @property
    def cell_m(self) -> float:
        """The height of a cell in metres, and its breadth in the middle row."""
        return self.width_m / CELLS_PER_WIDTH

    def row_latitudes(self) -> NDArray[np.float64]:
        """Return the latitude of the middle of each row."""
        return self.south + (np.arange(self.rows, dtype=np.float64) + 0.5) * self.dlat


def make_frame(box: Box, width_m: float) -> HeatFrame:
    """Return the raster for a box (west, south, east, north in degrees), enlarged by the reach of the kernel.

    Raises `InvalidInput` for a width out of range or too fine for so large a box; the hint names one that fits.

    Examples
    --------
    >>> frame = make_frame((118.0, 30.0, 118.1, 30.1), 150.0)
    >>> frame.cell_m, frame.columns, frame.rows
    (50.0, 217, 246)
    """
    if not LEAST_WIDTH_M <= width_m <= MOST_WIDTH_M:
        raise InvalidInput(
            "bad_width",
            f"A kernel of {width_m:g} m is not drawn.",
            hint=f"Ask for {LEAST_WIDTH_M:g} to {MOST_WIDTH_M:g} m; 150 suits a town.",
        )
    west, south, east, north = box
    x_m, y_m = _metres_per_degree(np.array([(south + north) / 2]))
    cell_m, reach_m = width_m / CELLS_PER_WIDTH, TRUNCATE * width_m
    dlon, dlat = cell_m / float(x_m[0]), cell_m / float(y_m[0])
    west, south = west - reach_m / float(x_m[0]), south - reach_m / float(y_m[0])
    columns = math.ceil((east - west + reach_m / float(x_m[0])) / dlon)
    rows = math.ceil((north - south + reach_m / float(y_m[0])) / dlat)
    if max(columns, rows) > MOST_CELLS:
        fitting = math.ceil(width_m * max(columns, rows) / MOST_CELLS / 10) * 10
        raise InvalidInput(
            "width_too_fine",
            f"A kernel of {width_m:g} m is too fine for a region of this size.",
            hint=f"Ask for {fitting} m or more, or for one area.",
            detail={"least_width_m": fitting},
        )
    return HeatFrame(west, south, dlon, dlat, columns, rows, width_m)


def fitting_width_m(box: Box, width_m: float) -> float:
    """Return a width, or the next one that the raster of a box can bear, in steps of 10 m."""
    try:
        make_frame(box, width_m)
    except InvalidInput as error:
        if "least_width_m" not in error.detail:
            raise
        return float(error.detail["least_width_m"]) * 1.05 // 10 * 10 + 10
    return width_m


def density(frame: HeatFrame, lon: ArrayLike, lat: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return the smoothed density of points (degrees, WGS 84) per square kilometre, by row from the south.

    `weights` counts each point as so much (kilometres, hours); points outside the frame are left out.

    Examples
    --------
    >>> frame = make_frame((118.0, 30.0, 118.02, 30.02), 150.0)
    >>> found = density(frame, [118.01], [30.01])
    >>> bool(abs(found.max() - 1 / (2 * np.pi * 0.15**2)) < 0.1)
    True
    """
    x, y, there = _places(frame, lon, lat)
    weighed = np.ones(int(there.sum())) if weights is None else np.asarray(weights, np.float64)[there]
    counts = _shared_out(frame, x[there], y[there], weighed)
    return _smooth(frame, counts.astype(np.float32))


def _shared_out(
    frame: HeatFrame, x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share each point out among the four cells whose middles lie around it, the nearer the more."""
    column, row = np.floor(x - 0.5), np.floor(y - 0.5)
    right, upper = x - 0.5 - column, y - 0.5 - row
    counts = np.zeros(frame.rows * frame.columns)
    for dx, share_x in ((0, 1 - right), (1, right)):
        for dy, share_y in ((0, 1 - upper), (1, upper)):
            # A frame reaches four widths beyond its box, so what is put at its edge weighs nothing there.
            at_x = np.clip(column + dx, 0, frame.columns - 1).astype(np.int64)
            at_y = np.clip(row + dy, 0, frame.rows - 1).astype(np.int64)
            counts += np.bincount(at_y * frame.columns + at_x, share_x * share_y * weights, minlength=len(counts))
    return counts.reshape(frame.rows, frame.columns)


def inside(frame: HeatFrame, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return which points lie within the frame."""
    return _places(frame, lon, lat)[2]


def _places(
    frame: HeatFrame, lon: ArrayLike, lat: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the places of points in cells from the south-west corner, and which lie within the frame."""
    x = (np.asarray(lon, np.float64) - frame.west) / frame.dlon
    y = (np.asarray(lat, np.float64) - frame.south) / frame.dlat
    return x, y, (x >= 0) & (x < frame.columns) & (y >= 0) & (y < frame.rows)


def _smooth(frame: HeatFrame, counts: Floats) -> Floats:
    """Smooth in metres: each band of rows by its own number of cells, and divide by the ground of its cells."""
    x_m, y_m = _metres_per_degree(frame.row_latitudes())
    breadth, height = x_m * frame.dlon, y_m * frame.dlat
    # Sharing a point out among cells spreads it already, by a sixth of a cell squared: the kernel does the rest.
    sigma = _rest_of(frame.width_m / float(height[len(height) // 2]))
    result: Floats = gaussian_filter1d(counts, sigma, axis=0, mode="constant", truncate=TRUNCATE, output=np.float32)
    spread = abs(math.log(breadth.max() / breadth.min())) if len(breadth) else 0.0
    for band in np.array_split(np.arange(frame.rows), max(1, math.ceil(spread / SAME_WIDTH))):
        if len(band):
            rows = slice(int(band[0]), int(band[-1]) + 1)
            across = _rest_of(frame.width_m / float(breadth[rows].mean()))
            result[rows] = gaussian_filter1d(result[rows], across, axis=1, mode="constant", truncate=TRUNCATE)
    result /= (breadth * height / 1e6).astype(np.float32)[:, None]
    return result


def _rest_of(sigma_cells: float) -> float:
    return math.sqrt(max(0.0, sigma_cells**2 - 1 / 6))


def line_density(frame: HeatFrame, lon: ArrayLike, lat: ArrayLike, line: ArrayLike) -> Floats:
    """Return kilometres of lines per square kilometre; vertices in order, `line` tells which line each belongs to.

    Examples
    --------
    >>> frame = make_frame((118.0, 30.0, 118.02, 30.02), 150.0)
    >>> km = line_density(frame, [118.005, 118.015], [30.01, 30.01], [1, 1])
    >>> round(float(total(frame, km)), 2)
    0.96
    """
    lons, lats, of = np.asarray(lon, np.float64), np.asarray(lat, np.float64), np.asarray(line)
    if len(lons) < 2:
        return density(frame, [], [])
    begin = np.flatnonzero(of[1:] == of[:-1])
    length_m = distance_m(lons[begin], lats[begin], lons[begin + 1], lats[begin + 1])
    steps = np.maximum(1, np.ceil(length_m / (frame.cell_m / 2))).astype(np.int64)
    segment = np.repeat(np.arange(len(begin)), steps)
    share = (np.arange(len(segment)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) / steps[segment]
    first = begin[segment]
    along_lon = lons[first] + (lons[first + 1] - lons[first]) * share
    along_lat = lats[first] + (lats[first + 1] - lats[first]) * share
    return density(frame, along_lon, along_lat, (length_m / 1000 / steps)[segment])


def ratio(numerator: Floats, denominator: Floats, least: float) -> Floats:
    """Return one density by another, such as findings per kilometre walked; NaN where the denominator is below `least`.

    NaN is a state of its own: not walked enough to tell. It is never to be drawn as if nothing had been found.

    Examples
    --------
    >>> ratio(np.array([4.0, 0.0, 1.0]), np.array([2.0, 2.0, 0.1]), 0.5).tolist()
    [2.0, 0.0, nan]
    """
    enough = denominator >= max(least, 1e-12)
    return np.where(enough, numerator / np.where(enough, denominator, 1.0), np.nan)


def total(frame: HeatFrame, values: Floats) -> float:
    """Return the sum of a density over the ground of its frame: what was put in, but for what lies at its edge."""
    x_m, y_m = _metres_per_degree(frame.row_latitudes())
    ground_km2 = x_m * frame.dlon * y_m * frame.dlat / 1e6
    return float((values.sum(axis=1, dtype=np.float64) * ground_km2).sum())


def sample(frame: HeatFrame, values: Floats, tile: Tile, pixels: int) -> Floats:
    """Return the values at the middle of each pixel of a tile, rows from the north; 0 outside the frame.

    Between the middles of cells values are interpolated; where one of them is NaN the nearest cell decides.
    """
    lon, lat = pixel_centres(tile, pixels)
    at = np.stack([(lat - frame.south) / frame.dlat - 0.5, (lon - frame.west) / frame.dlon - 0.5])
    order = 0 if np.isnan(values).any() else 1
    found: Floats = map_coordinates(values, at, order=order, mode="constant", cval=0.0, prefilter=False)
    return found.reshape(pixels, pixels)


def _metres_per_degree(lat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the metres of a degree of longitude and of latitude on the ellipsoid, at latitudes."""
    phi = np.radians(lat)
    root = np.sqrt(1 - WGS84_E2 * np.sin(phi) ** 2)
    degree = np.pi / 180 * WGS84_A_M
    return degree * np.cos(phi) / root, degree * (1 - WGS84_E2) / root**3
