"""GPX files: read strictly, refused with the reason, one patrol however often they come."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from mapsvc.base.errors import Conflict, InvalidInput, MapsvcError, NotFound, TooLarge
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.patrols.models import EffortCell, Patrol
from mapsvc.patrols.rules import gpx
from mapsvc.patrols.rules.gpx import read_gpx
from mapsvc.patrols.service.import_gpx import import_gpx
from mapsvc.people.rules.actor import SYSTEM
from tests import squares

from .conftest import Beat

HEAD = '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'


def point(n: int, *, metres: float = 12.0, time: str | None = "", lon: float | None = None) -> str:
    east = squares.WEST + n * metres / 83_000 if lon is None else lon
    stamp = f"2026-11-22T01:{n // 6:02}:{n % 6 * 10:02}Z" if time == "" else time
    told = f"<time>{stamp}</time>" if stamp is not None else ""
    return f'<trkpt lat="{squares.SOUTH + 0.0005}" lon="{east:.8f}">{told}</trkpt>'


def file_of(*segments: str, head: str = HEAD, more: str = "") -> bytes:
    body = "".join(f"<trkseg>{segment}</trkseg>" for segment in segments)
    return f"{head}{more}<trk>{body}</trk></gpx>".encode()


def walked(count: int = 30, **more: object) -> str:
    return "".join(point(n, **more) for n in range(count))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        '<gpx version="1.0" xmlns="http://www.topografix.com/GPX/1/0">',
        "<gpx>",
        "\ufeff<?xml version='1.0' encoding='utf-8'?><gpx>",
    ],
)
def test_every_version_is_read(head: str) -> None:
    track = read_gpx(file_of(walked(), head=head))
    assert (track.points, track.without_time, len(track.fixes)) == (30, 0, 30)
    assert track.recorded_m == pytest.approx(29 * 12, rel=0.01)
    assert track.fixes.at[0] == 1_795_309_200.0


def test_segments_stay_apart_and_empty_ones_do_not_matter() -> None:
    track = read_gpx(file_of(walked(5), "", "".join(point(n) for n in range(10, 15))))
    assert track.fixes.segment.tolist() == [0] * 5 + [2] * 5
    assert track.recorded_m == pytest.approx(8 * 12, rel=0.01), "what lies between is not walked"


def test_points_without_times_are_left_out_and_counted() -> None:
    track = read_gpx(file_of(walked(10), walked(7, time=None)))
    assert (track.points, track.without_time, len(track.fixes)) == (17, 7, 10)


BOMB = "<!DOCTYPE gpx [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><gpx><trk>&b;</trk></gpx>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "gpx_not_xml"),
        (b"lat,lon\n1,2\n", "gpx_not_xml"),
        (file_of(walked())[:-40], "gpx_not_xml"),
        (b"\xff\xfe\x00garbage", "gpx_not_xml"),
        (b"<kml><Document/></kml>", "not_gpx"),
        (BOMB.encode(), "gpx_doctype"),
        (b'<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>', "gpx_doctype"),
        (b"<gpx/>", "gpx_no_track"),
        (b'<gpx><wpt lat="1" lon="2"/><rte><rtept lat="1" lon="2"/></rte></gpx>', "gpx_no_track"),
        (file_of(walked(30, time=None)), "gpx_no_times"),
        (file_of(point(0) + walked(30, time=None)), "gpx_no_times"),
        (file_of(point(0) + point(1, time="yesterday")), "gpx_bad_time"),
        (file_of(point(0) + point(1, time="9999-12-31T23:59:59-14:00")), "gpx_bad_time"),
        (file_of(point(0, time="0001-01-01T00:00:00+14:00") + point(1)), "gpx_bad_time"),
        (file_of(point(0) + point(1, lon=200.0)), "gpx_bad_position"),
        (file_of(point(0) + '<trkpt lat="x" lon="1"/>'), "gpx_bad_position"),
        (file_of(point(0) + '<trkpt lat="nan" lon="1"/>'), "gpx_bad_position"),
        (file_of(point(5) + point(3) + point(4)), "gpx_broken_clock"),
        (file_of(walked(9, time="2026-11-22T01:00:00Z")), "gpx_broken_clock"),
    ],
)
def test_what_is_no_track_is_refused_with_the_reason(content: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_gpx(content)
    assert caught.value.code == code
    assert caught.value.hint


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpx, "MOST_POINTS", 20)
    with pytest.raises(TooLarge):
        read_gpx(file_of(walked(30)))
    monkeypatch.setattr(gpx, "MOST_BYTES", 100)
    with pytest.raises(TooLarge):
        read_gpx(file_of(walked(3)))


def write(tmp_path: Path, content: bytes, name: str = "walk.gpx") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def count(beat: Beat) -> tuple[int, float]:
    with beat.store.read() as work:
        patrols = work.session.scalar(select(func.count()).select_from(Patrol)) or 0
        return patrols, work.session.scalar(select(func.sum(EffortCell.metres))) or 0.0


def test_a_file_twice_is_one_patrol(beat: Beat, tmp_path: Path) -> None:
    path = write(tmp_path, file_of(walked()))
    first = import_gpx(beat.store, SYSTEM, beat.snapshot, path, "a", "foot")
    before = count(beat)
    again = import_gpx(beat.store, SYSTEM, beat.snapshot, write(tmp_path, path.read_bytes(), "copy.gpx"), "a", "foot")
    assert (first.receipt.status, again.receipt.status) == ("created", "same")
    assert first.receipt.metres == pytest.approx(29 * 12, abs=30)
    assert count(beat) == before
    assert before == (1, pytest.approx(first.receipt.metres))


def test_one_walk_is_not_credited_to_two(beat: Beat, tmp_path: Path) -> None:
    path = write(tmp_path, file_of(walked()))
    import_gpx(beat.store, SYSTEM, beat.snapshot, path, "a", "foot")
    with pytest.raises(Conflict) as caught:
        import_gpx(beat.store, SYSTEM, beat.snapshot, path, "b", "foot")
    assert caught.value.code == "track_of_another"


def test_a_track_in_gcj02_comes_to_its_ground(beat: Beat, tmp_path: Path) -> None:
    points = []
    for n in range(30):
        lon, lat = wgs84_to_gcj02(squares.WEST + n * 12 / 83_000, squares.SOUTH + 0.0005)
        moment = f"2026-11-22T01:{n // 6:02}:{n % 6 * 10:02}Z"
        points.append(f'<trkpt lat="{float(lat)}" lon="{float(lon)}"><time>{moment}</time></trkpt>')
    shifted = import_gpx(
        beat.store, SYSTEM, beat.snapshot, write(tmp_path, file_of("".join(points))), "a", "foot", datum="gcj02"
    )
    plain = import_gpx(beat.store, SYSTEM, beat.snapshot, write(tmp_path, file_of(walked()), "p.gpx"), "b", "foot")
    with beat.store.read() as work:
        cells = work.session.scalar(select(func.count()).select_from(EffortCell))
    assert shifted.receipt.metres == pytest.approx(plain.receipt.metres, abs=1)
    assert cells is not None
    assert cells < 25, "the same cells"


@pytest.mark.parametrize(("person", "name"), [("nobody", "walk.gpx"), ("a", "absent.gpx")])
def test_who_or_what_is_not_there(beat: Beat, tmp_path: Path, person: str, name: str) -> None:
    write(tmp_path, file_of(walked()))
    with pytest.raises(NotFound):
        import_gpx(beat.store, SYSTEM, beat.snapshot, tmp_path / name, person, "foot")
    assert count(beat)[0] == 0


def test_a_refused_file_records_nothing(beat: Beat, tmp_path: Path) -> None:
    with pytest.raises(MapsvcError):
        import_gpx(beat.store, SYSTEM, beat.snapshot, write(tmp_path, BOMB.encode()), "a", "foot")
    assert count(beat)[0] == 0
