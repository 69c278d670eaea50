"""Real tracks of loggers: read, measured, credited or refused as what they are.

Needs ../shared/data; skipped where it is not there. None of it is part of this repository.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsvc.base.errors import InvalidInput
from mapsvc.geo.measure import distance_m
from mapsvc.geo.tracks import GAP_S, measure_track
from mapsvc.patrols.rules.gpx import read_gpx

pytestmark = pytest.mark.data


def read(shared_data: Path, name: str) -> bytes:
    return (shared_data / "gpx" / name).read_bytes()


def test_a_real_walk_is_as_long_as_it_was_drawn_and_credits_what_has_times(shared_data: Path) -> None:
    """Of its 871 points 513 have a time: 14.9 km as drawn, and what the others were worth nobody can say."""
    track = read_gpx(read(shared_data, "korita-zbevnica.gpx"))
    assert (track.points, track.without_time) == (871, 358)
    assert track.recorded_m == pytest.approx(14_900, rel=0.02)
    fixes = track.fixes
    timed = same = 0.0
    steps = distance_m(fixes.lon[:-1], fixes.lat[:-1], fixes.lon[1:], fixes.lat[1:])
    for n, step in enumerate(steps.tolist()):
        if fixes.segment[n] == fixes.segment[n + 1]:
            timed += step
            same += step if fixes.at[n + 1] - fixes.at[n] <= GAP_S else 0.0
    found = measure_track(fixes, "foot")
    assert found.metres == pytest.approx(same, rel=0.08), "less by what the distance filter takes off"
    assert found.metres < same < timed
    assert found.gaps > 20
    assert found.jumps == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("track-with-extremes.gpx", "gpx_no_times"),
        ("unicode_with_bom.gpx", "gpx_no_track"),
    ],
)
def test_what_cannot_be_credited_is_refused(shared_data: Path, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_gpx(read(shared_data, name))
    assert caught.value.code == code


def test_a_file_almost_without_times_credits_almost_nothing(shared_data: Path) -> None:
    track = read_gpx(read(shared_data, "cerknicko-without-times.gpx"))
    assert (track.points, len(track.fixes)) == (296, 5)
    assert measure_track(track.fixes, "foot").metres < 100


def test_an_empty_segment_does_no_harm(shared_data: Path) -> None:
    track = read_gpx(read(shared_data, "track-with-empty-segment.gpx"))
    assert (track.points, track.without_time) == (9, 0)
    assert 0 < measure_track(track.fixes, "ebike").metres < track.recorded_m + 1
