"""Tracks of patrols: what was walked, in metres and seconds for each small cell and day, and never more than that.

Raw GPS length is no effort: standing still for ten minutes "walks" four kilometres at one fix a second. So a
track is cut where nothing was recorded, where it jumps or goes faster than its mode can, and thinned by a
distance filter before it is measured. What lies between two parts is never bridged: nobody knows that it was walked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.measure import LocalFrame

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

MODES_KMH: Mapping[str, float] = {"foot": 12.0, "ebike": 30.0, "car": 60.0}
"""Ways of patrolling and the speed in km/h beyond which a leg was not patrolled that way."""

GAP_S = 60.0
"""Seconds without a fix after which a track is cut."""

WORST_M = 50.0
"""A fix with a larger accuracy radius is kept with the track and credits nothing."""

FILTER_M = 25.0
"""A track is measured between fixes at least so far apart: less is noise of the receiver."""

CELL_M = 25.0
"""Size of a cell, north to south and west to east."""

_PIECE_M = 2.5
"""Legs are shared out to cells in pieces of at most this length."""

_ROW_DEGREES = CELL_M / 111_132.0
_PARALLEL_M = 111_320.0
_COLUMNS = 1 << 32


@dataclass(frozen=True, eq=False)
class Fixes:
    """Positions of one track: seconds since 1970 (UTC), WGS 84 degrees, accuracy in metres (NaN: not said).

    Fixes of different `segment` are never joined, as in a GPX file.
    """

    at: Floats
    lon: Floats
    lat: Floats
    accuracy_m: Floats
    segment: Ints

    def __len__(self) -> int:
        return len(self.at)

    def take(self, chosen: Ints | Flags) -> Fixes:
        """Return some of the fixes, in the order given."""
        return Fixes(self.at[chosen], self.lon[chosen], self.lat[chosen], self.accuracy_m[chosen], self.segment[chosen])


def make_fixes(
    at: ArrayLike,
    lon: ArrayLike,
    lat: ArrayLike,
    accuracy_m: ArrayLike | None = None,
    segment: ArrayLike | None = None,
) -> Fixes:
    """Return fixes from arrays of one length; what is no position or no time raises `InvalidInput`.

    Examples
    --------
    >>> len(make_fixes([0, 10], [123.0, 123.0], [41.8, 41.8005]))
    2
    """
    times, lons, lats = (np.array(values, dtype=np.float64).reshape(-1) for values in (at, lon, lat))
    count = len(times)
    radius = np.full(count, np.nan) if accuracy_m is None else np.array(accuracy_m, dtype=np.float64).reshape(-1)
    parts = np.zeros(count, np.int64) if segment is None else np.array(segment, dtype=np.int64).reshape(-1)
    if {len(lons), len(lats), len(radius), len(parts)} != {count}:
        raise InvalidInput("bad_track", "A track needs as many times as positions.", hint="Send arrays of one length.")
    bad = ~((np.abs(lons) <= 180) & (np.abs(lats) <= 90) & np.isfinite(times))
    if bad.any():
        place = int(np.argmax(bad))
        raise InvalidInput(
            "bad_fix",
            f"Fix {place} (counted from 0) has no position in degrees or no time.",
            hint="Longitude comes first: it lies in -180..180, latitude in -90..90; times are seconds since 1970.",
            detail={"index": place},
        )
    return Fixes(times, lons, lats, radius, parts)


def tidy(fixes: Fixes) -> Fixes:
    """Return the fixes in order of segment and time, exact repeats (same time and place) dropped.

    Examples
    --------
    >>> tidy(make_fixes([10, 0, 10], [1, 0, 1], [1, 0, 1])).at
    array([ 0., 10.])
    """
    rows = np.column_stack([fixes.segment, fixes.at, fixes.lon, fixes.lat])
    order = np.lexsort((np.arange(len(fixes)), fixes.at, fixes.segment))
    _, first = np.unique(rows[order], axis=0, return_index=True)
    return fixes.take(order[np.sort(first)])


def leave_out(fixes: Fixes, spans: ArrayLike) -> tuple[Fixes, int]:
    """Return the fixes outside some spans of time (pairs of seconds, ends included), and how many were inside.

    What lies before a span is never joined to what lies after it.
    """
    pairs = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
    inside = np.zeros(len(fixes), dtype=np.bool_)
    for begin, end in pairs:
        inside |= (fixes.at >= begin) & (fixes.at <= end)
    if not inside.any():
        return fixes, 0
    before = np.searchsorted(np.sort(pairs[:, 1]), fixes.at)  # how many spans ended before each fix
    marked = replace(fixes, segment=fixes.segment * (len(pairs) + 1) + before)
    return marked.take(~inside), int(inside.sum())


@dataclass(frozen=True, eq=False)
class Effort:
    """Metres and seconds by local day (days since 1970) and cell, a row for each pair, in ascending order."""

    day: Ints
    cell: Ints
    metres: Floats
    seconds: Floats

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True, eq=False)
class Measured:
    """What a track is worth. `inaccurate` and `repeats` count fixes that credited nothing; `parts` is how many
    pieces the track fell into; `jumps` and `gaps` say why."""

    effort: Effort
    metres: float
    seconds: float
    parts: int
    gaps: int
    jumps: int
    inaccurate: int
    repeats: int


def measure_track(fixes: Fixes, mode: str, zone: tzinfo = UTC) -> Measured:
    """Clean a track and share its metres and seconds out to cells and local days.

    The seconds between two fixes count where they lie, also when nobody moved; metres only between fixes of the
    distance filter. A leg that is too fast for the mode, a jump, a gap and what is between segments count for nothing.

    Raises
    ------
    InvalidInput
        `unknown_mode`.

    Examples
    --------
    >>> at = np.arange(0, 600, 10)
    >>> track = make_fixes(at, 123.0 + 0 * at, 41.8 + at * 1e-5)
    >>> round(measure_track(track, "foot").metres / 50) * 50, measure_track(track, "foot").seconds
    (650, 590.0)
    """
    if mode not in MODES_KMH:
        raise InvalidInput(
            "unknown_mode", f"There is no way of patrolling {mode[:40]!r}.", hint=f"One of {', '.join(MODES_KMH)}."
        )
    kept = tidy(fixes)
    good = ~(kept.accuracy_m > WORST_M)
    track = kept.take(good)
    repeats, inaccurate = len(fixes) - len(kept), int((~good).sum())
    if len(track) < 2:
        return Measured(_no_effort(), 0.0, 0.0, min(len(track), 1), 0, 0, inaccurate, repeats)
    frame = LocalFrame(float(track.lon.mean()), float(track.lat.mean()))
    x, y = frame.to_metres(track.lon, track.lat)
    fastest = MODES_KMH[mode] / 3.6
    duration = np.diff(track.at)
    distance = np.hypot(np.diff(x), np.diff(y))
    apart = np.diff(track.segment) != 0
    gap = ~apart & (duration > GAP_S)
    # Noise of the receiver is below the filter and must not look like speed.
    jump = ~apart & ~gap & (distance > fastest * duration + FILTER_M)
    joined = ~(apart | gap | jump)
    part = np.concatenate([[0], np.cumsum(~joined)])
    stops = _thin(x, y, part)
    first, last = stops[:-1], stops[1:]
    length = np.hypot(x[last] - x[first], y[last] - y[first])
    same = part[first] == part[last]
    fast = same & (length > fastest * (track.at[last] - track.at[first]))
    legs = same & ~fast
    steps = joined & ~_covered(len(joined), first[fast], last[fast])
    spread = _Spread(track, zone)
    effort = spread.share(first[legs], last[legs], length[legs], np.flatnonzero(steps), distance, duration)
    return Measured(
        effort=effort,
        metres=float(length[legs].sum()),
        seconds=float(duration[steps].sum()),
        parts=int(part[-1]) + 1,
        gaps=int(gap.sum()),
        jumps=int(jump.sum() + fast.sum()),
        inaccurate=inaccurate,
        repeats=repeats,
    )


def _thin(x: Floats, y: Floats, part: Ints) -> Ints:
    """Return the fixes between which a track is measured: each part's first, then whatever is far enough from the last.

    One after the other, since each depends on the one before; plain numbers are quicker here than arrays.
    """
    chosen = []
    limit = FILTER_M * FILTER_M
    last_x = last_y = 0.0
    last_part = -1
    for place, (at_x, at_y, of) in enumerate(zip(x.tolist(), y.tolist(), part.tolist(), strict=True)):
        dx, dy = at_x - last_x, at_y - last_y
        if of != last_part or dx * dx + dy * dy >= limit:
            chosen.append(place)
            last_x, last_y, last_part = at_x, at_y, of
    return np.array(chosen, dtype=np.int64)


def _covered(count: int, first: Ints, last: Ints) -> Flags:
    """Return which steps (from one fix to the next) lie in one of some legs."""
    edges = np.zeros(count + 1, dtype=np.int64)
    np.add.at(edges, first, 1)
    np.add.at(edges, last, -1)
    return np.cumsum(edges)[:count] > 0


class _Spread:
    """Shares metres and seconds out to cells: lines are cut into short pieces, each for the cell of its middle."""

    def __init__(self, track: Fixes, zone: tzinfo) -> None:
        self.track = track
        self.zone = zone

    def share(self, first: Ints, last: Ints, length: Floats, steps: Ints, distance: Floats, duration: Floats) -> Effort:
        """Return the effort of legs (`first` to `last`, with their lengths) and steps (from each to the next fix)."""
        day, cell, weight = self._pieces(first, last, length)
        metres = np.repeat(length, weight) / np.repeat(weight, weight)
        step_day, step_cell, step_weight = self._pieces(steps, steps + 1, distance[steps])
        seconds = np.repeat(duration[steps], step_weight) / np.repeat(step_weight, step_weight)
        return collect(
            np.concatenate([day, step_day]),
            np.concatenate([cell, step_cell]),
            np.concatenate([metres, np.zeros(len(seconds))]),
            np.concatenate([np.zeros(len(metres)), seconds]),
        )

    def _pieces(self, first: Ints, last: Ints, length: Floats) -> tuple[Ints, Ints, Ints]:
        """Return day and cell of each piece of some lines, and how many pieces each line has."""
        count = np.maximum(1, np.ceil(length / _PIECE_M)).astype(np.int64)
        line = np.repeat(np.arange(len(count)), count)
        begin = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else np.zeros(0, np.int64)
        share = (np.arange(len(line)) - begin[line] + 0.5) / count[line]

        def between(values: Floats) -> Floats:
            low, high = values[first][line], values[last][line]
            return np.asarray(low + (high - low) * share)

        cell = cell_at(between(self.track.lon), between(self.track.lat))
        return local_days(between(self.track.at), self.zone), cell, count


def collect(day: Ints, cell: Ints, metres: Floats, seconds: Floats) -> Effort:
    """Add up rows of the same day and cell."""
    if not len(day):
        return _no_effort()
    order = np.lexsort((cell, day))
    day, cell, metres, seconds = day[order], cell[order], metres[order], seconds[order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(day) != 0) | (np.diff(cell) != 0)]))
    return Effort(day[starts], cell[starts], np.add.reduceat(metres, starts), np.add.reduceat(seconds, starts))


def _no_effort() -> Effort:
    return Effort(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


def cell_at(lon: ArrayLike, lat: ArrayLike) -> Ints:
    """Return the number of the cell of 25 m that holds each point.

    Rows are of equal latitude; the columns of a row are as wide as its own parallel asks for, so that a cell is
    25 m by 25 m (to 0.6 %) anywhere, with no zone and no border of zones. It depends on the point alone.

    Examples
    --------
    >>> int(cell_at(123.0, 41.8)) == int(cell_at(123.00001, 41.80001))
    True
    """
    row = np.floor((np.asarray(lat, dtype=np.float64) + 90.0) / _ROW_DEGREES).astype(np.int64)
    column = np.floor((np.asarray(lon, dtype=np.float64) + 180.0) / _column_degrees(row)).astype(np.int64)
    return np.asarray(row * _COLUMNS + column)


def cell_centre(cell: ArrayLike) -> tuple[Floats, Floats]:
    """Return longitude and latitude, WGS 84 degrees, of the middle of cells.

    Examples
    --------
    >>> lon, lat = cell_centre(cell_at([123.0], [41.8]))
    >>> bool(abs(lon[0] - 123.0) < 0.0002), bool(abs(lat[0] - 41.8) < 0.0002)
    (True, True)
    """
    row, column = np.divmod(np.asarray(cell, dtype=np.int64), _COLUMNS)
    lat = (row + 0.5) * _ROW_DEGREES - 90.0
    return np.asarray((column + 0.5) * _column_degrees(row) - 180.0), np.asarray(lat)


def _column_degrees(row: Ints) -> Floats:
    lat = np.radians((row + 0.5) * _ROW_DEGREES - 90.0)
    return np.asarray(CELL_M / (_PARALLEL_M * np.maximum(np.cos(lat), 1e-3)))


def local_days(at: Floats, zone: tzinfo) -> Ints:
    """Return the local calendar day, in days since 1970, of moments in seconds since 1970."""
    quarter, place = np.unique(np.floor(at / 900).astype(np.int64), return_inverse=True)
    offsets = [datetime.fromtimestamp(int(n) * 900, zone).utcoffset() for n in quarter]
    seconds = np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])
    days: Ints = np.floor((at + seconds[place]) / 86_400).astype(np.int64)
    return days
