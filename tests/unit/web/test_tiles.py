"""`/tiles`: borders, cases and values as a page and a foreign program ask for them; who gets which."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable
from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from mapsvc.areas import tiles as area_tiles
from mapsvc.geo.tiles.mercator import Tile, to_unit
from mapsvc.web.parts import EXTENSION
from tests import squares
from tests.town import Town

Make = Callable[..., Town]


def tile_at(column: int, row: int, z: int) -> Tile:
    lon, lat = squares.middle(column, row)
    x, y = to_unit([lon], [lat])
    return Tile(z, int(x[0] * 2**z), int(y[0] * 2**z))


def address(tile: Tile, kind: str = "mvt", level: str = "grid") -> str:
    return f"/tiles/{level}/{tile.z}/{tile.x}/{tile.y}.{kind}"


def layers(content: bytes) -> dict[str, Any]:
    return dict(mapbox_vector_tile.decode(content, default_options={"y_coord_down": True}))


def body(answer: Any) -> bytes:
    return gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data


def describe(town: Town, level: str = "grid", who: str = "leader") -> dict[str, Any]:
    answer = town.get(f"/tiles/{level}.json", who)
    assert answer.status_code == 200, answer.data
    return dict(answer.json)


# -- borders


def test_borders_are_for_accounts_until_a_review_number_is_set(make_town: Make) -> None:
    town = make_town()
    tile = tile_at(1, 1, 14)
    paths = ["/tiles/grid.json", address(tile), address(tile, "ids")]
    for path in paths:
        for who in ("", "bare"):
            answer = town.get(path, who)
            assert (answer.status_code, answer.json["code"]) == (404, "no_such_tiles"), (path, who)
        for who in ("leader", "chief_1", "planner", "unit_a"):
            assert town.get(path, who).status_code == 200, (path, who)


def test_with_a_review_number_everybody_sees_borders(make_town: Make) -> None:
    town = make_town(map_review_number="GS(2026)0001号")
    told = describe(town, who="")
    assert told["attribution"] == "GS(2026)0001号"
    answer = town.get(address(tile_at(1, 1, 14)) + f"?v={told['v']}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(("level", "count"), [("grid", 16), ("patch", 2), ("district", 1)])
def test_tilejson_says_what_the_tiles_hold(town: Town, level: str, count: int) -> None:
    told = describe(town, level)
    assert (told["tilejson"], told["scheme"], told["count"]) == ("3.0.0", "xyz", count)
    assert told["minzoom"] == 0
    assert told["maxzoom"] == area_tiles.MAX_ZOOM
    assert [layer["id"] for layer in told["vector_layers"]] == ["areas", "labels"]
    west, south, east, north = told["bounds"]
    assert (west, south) == pytest.approx((squares.WEST, squares.SOUTH), abs=1e-6)
    assert (east, north) == pytest.approx((squares.WEST + 0.004, squares.SOUTH + 0.004), abs=1e-6)
    tile = tile_at(1, 1, 15)
    for template in (told["tiles"][0], told["ids"]):
        path = template.replace("{z}", str(tile.z)).replace("{x}", str(tile.x)).replace("{y}", str(tile.y))
        assert path.startswith("http://localhost/tiles/")
        answer = town.get(path.removeprefix("http://localhost"), "leader")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert len(layers(body(town.get(address(tile_at(1, 1, 10), level=level), "leader")))["labels"]["features"]) == count


def test_a_small_area_is_better_drawn_by_pixels(town: Town) -> None:
    told = describe(town)
    assert told["mean_side_m"] == pytest.approx(96, abs=4)  # 111 m by 83 m
    zoom = told["ids_to_zoom"]
    metres = [156543.034 * np.cos(np.radians(squares.SOUTH)) / 2**z for z in (zoom, zoom + 1)]
    assert told["mean_side_m"] / metres[0] < 4 <= told["mean_side_m"] / metres[1]


@pytest.mark.parametrize("level", ["grid", "patch", "street"])
def test_vector_and_id_tiles_agree(town: Town, level: str) -> None:
    tile = tile_at(1, 1, 15)
    areas = layers(body(town.get(address(tile, level=level), "leader")))["areas"]["features"]
    numbers = np.frombuffer(body(town.get(address(tile, "ids", level), "leader")), "<u4").reshape(256, 256)
    assert set(np.unique(numbers).tolist()) - {0} <= {one["id"] for one in areas}
    differing = 0
    for one in areas:
        geometry = shapely.geometry.shape(one["geometry"])
        y, x = np.nonzero(numbers == one["id"])
        inside = shapely.contains_xy(shapely.buffer(geometry, 8), (x + 0.5) * 16, (y + 0.5) * 16)
        differing += int((~inside).sum())
    assert (numbers > 0).sum() > 1000
    assert differing == 0


def test_numbers_are_those_of_the_list_of_codes(town: Town) -> None:
    codes = town.get("/api/v1/area-codes?level=grid").json
    labels = layers(body(town.get(address(tile_at(1, 1, 12)), "leader")))["labels"]["features"]
    assert len(labels) == 16
    for one in labels:
        assert codes["codes"][one["id"] - 1] == one["properties"]["code"]
        assert codes["names"][one["id"] - 1] == one["properties"]["name"]


def test_a_place_without_areas_answers_200_and_empty(town: Town) -> None:
    for kind in ("mvt", "ids"):
        answer = town.get(f"/tiles/grid/12/0/0.{kind}", "leader")
        assert (answer.status_code, body(answer)) == (200, b"")
    answer = town.get("/tiles/compound/12/0/0.mvt", "leader")  # a level that has no areas
    assert (answer.status_code, body(answer)) == (200, b"")
    told = describe(town, "compound")
    assert (told["count"], told["v"]) == (0, "")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/tiles/grid/17/0/0.mvt", "no_such_tile"),
        ("/tiles/grid/3/8/0.mvt", "no_such_tile"),
        ("/tiles/grid/3/0/99999999999999999999.ids", "no_such_tile"),
        ("/tiles/nothing/3/0/0.mvt", "no_such_tiles"),
        ("/tiles/nothing.json", "no_such_tiles"),
        ("/tiles/grid/3/-1/0.mvt", "not_found"),
        ("/tiles/grid/a/0/0.mvt", "not_found"),
        ("/tiles/cases/23/0/0.json", "no_such_tile"),
    ],
)
def test_tiles_that_there_are_not(town: Town, path: str, code: str) -> None:
    answer = town.get(path, "leader")
    assert (answer.status_code, answer.json["code"]) == (404, code)
    assert answer.json["hint"]


@pytest.mark.parametrize("query", ["v=1&v=2", "x=1", "as_of=nonsense", "v=%00"])
def test_questions_that_cannot_be_understood(town: Town, query: str) -> None:
    assert town.get(f"{address(tile_at(1, 1, 12))}?{query}", "leader").status_code == 400


def test_without_its_version_an_answer_is_asked_for_again(town: Town) -> None:
    path = address(tile_at(1, 1, 13))
    first = town.get(path, "leader")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = town.client().get(path, headers={**town.headers("leader"), "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    old = town.get(path + "?v=0123456789abcdef", "leader")
    assert old.headers["Cache-Control"] == "private, no-cache"


def test_a_reader_that_takes_no_gzip_gets_the_tile_plain(town: Town) -> None:
    path = address(tile_at(1, 1, 13))
    packed = town.client().get(path, headers={**town.headers("leader"), "Accept-Encoding": "gzip"})
    plain = town.client().get(path, headers={**town.headers("leader"), "Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.data) == plain.data != b""
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_a_tile_is_made_once_and_kept_on_disk(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    path = address(tile_at(1, 1, 13))
    made = town.get(path, "leader").data
    kept = list((town.settings.data_dir / "tiles").rglob("*.gz"))
    assert [gzip.decompress(file.read_bytes()) for file in kept] == [made]

    def never(*_given: Any) -> Any:
        raise AssertionError("the tile was on disk")

    monkeypatch.setattr(area_tiles, "load_areas", never)
    town.app.extensions[EXTENSION].area_tiles._areas.clear()
    assert town.get(path, "leader").data == made


def test_a_disk_that_cannot_be_written_costs_only_time(town: Town) -> None:
    (town.settings.data_dir / "tiles").write_bytes(b"a file in the place of the folder")
    answer = town.get(address(tile_at(1, 1, 13)), "leader")
    assert answer.status_code == 200
    assert layers(body(answer))["areas"]


def test_while_a_large_level_is_simplified_its_tiles_come_all_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(area_tiles, "MANY", 3)
    tiles = town.app.extensions[EXTENSION].area_tiles
    path = address(tile_at(1, 1, 12)) + f"?v={describe(town)['v']}"
    early = town.get(path, "leader")
    assert len(layers(body(early))["areas"]["features"]) == 16
    tiles.wait()
    late = town.get(path, "leader")
    assert late.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert len(layers(body(late))["areas"]["features"]) == 16


def test_borders_as_of_another_day(town: Town) -> None:
    path = address(tile_at(1, 1, 13))
    assert body(town.get(path + "?as_of=2026-01-01", "leader")) == body(town.get(path, "leader"))
    told = town.get("/tiles/grid.json?as_of=2026-01-01", "leader").json
    assert "as_of=2026-01-01" in told["tiles"][0]


# -- values


def values(town: Town, level: str, who: str, of: str = "open") -> tuple[tuple[int, ...], list[int]]:
    answer = town.get(f"/tiles/{level}/values.bin?of={of}", who)
    assert answer.status_code == 200, answer.data
    magic, *header = struct.unpack("<4sIII", answer.data[:16])
    assert magic == b"MVB1"
    return tuple(header), list(answer.data[16:])


def test_values_count_what_the_asker_may_see(town: Town) -> None:
    for column, row, times in ((0, 0, 3), (1, 0, 1), (3, 3, 2)):
        for _ in range(times):
            town.report(column=column, row=row)
    codes = town.get("/api/v1/area-codes?level=grid").json["codes"]
    header, counted = values(town, "grid", "leader")
    assert header == (16, 3, 6)
    assert {codes[n]: count for n, count in enumerate(counted) if count} == {"G0000": 3, "G0001": 1, "G0303": 2}
    header, counted = values(town, "grid", "grid_chief")
    assert header == (16, 3, 3)
    assert values(town, "grid", "unit_a")[0] == (16, 0, 0)
    assert values(town, "grid", "leader", "overdue")[0] == (16, 0, 0)
    assert town.get("/tiles/grid/values.bin").status_code == 401
    assert town.get("/tiles/grid/values.bin", "planner").status_code == 403
    assert town.get("/tiles/grid/values.bin?of=secrets", "leader").status_code == 400
    assert values(town, "compound", "leader") == ((0, 0, 0), [])


# -- cases


def cases(town: Town, tile: Tile, who: str = "leader", query: str = "") -> dict[str, Any]:
    answer = town.get(f"/tiles/cases/{tile.z}/{tile.x}/{tile.y}.json{query}", who)
    assert answer.status_code == 200, answer.data
    return dict(answer.json)


def test_cases_are_grouped_and_come_apart(town: Town) -> None:
    for column in range(4):
        for row in range(4):
            town.report(column=column, row=row)
    far = cases(town, tile_at(1, 1, 10))
    assert far["count"] == 16
    assert sum(one["count"] for one in far["clusters"]) + len(far["cases"]) == 16
    assert not any(one["pile"] for one in far["clusters"])
    near = cases(town, tile_at(1, 1, 19))
    assert (near["count"], near["clusters"]) == (1, [])
    lon, lat = squares.middle(1, 1)
    assert (near["cases"][0]["lon"], near["cases"][0]["lat"]) == pytest.approx((lon, lat), abs=1e-6)
    assert near["cases"][0]["state"] == "received"


def test_only_what_one_may_see_is_grouped(town: Town) -> None:
    for row in range(4):
        for column in range(4):
            town.report(column=column, row=row)
    tile = tile_at(1, 1, 12)
    listed = {
        who: len(town.get("/api/v1/cases?limit=100", who).json["features"])
        for who in ("leader", "chief_0", "chief_1", "grid_chief", "unit_a")
    }
    assert listed["leader"] == 16
    for who, count in listed.items():
        assert cases(town, tile, who)["count"] == count, who
    assert 0 < listed["chief_0"] < 16
    assert town.get(f"/tiles/cases/{tile.z}/{tile.x}/{tile.y}.json").status_code == 401
    assert town.get(f"/tiles/cases/{tile.z}/{tile.x}/{tile.y}.json", "planner").status_code == 403


def test_a_pile_stays_one_and_its_list_can_be_reached(town: Town) -> None:
    known = {str(town.report(column=2, row=2)[0]) for _ in range(5)}
    for z in (3, 12, 22):
        (pile,) = cases(town, tile_at(2, 2, z))["clusters"]
        assert (pile["count"], pile["pile"], len(pile["ids"])) == (5, True, 5)
        west, south, east, north = pile["box"]
        listed = town.get(f"/api/v1/cases?bbox={west},{south},{east},{north}", "leader").json["features"]
        assert {one["id"] for one in listed} == known


def test_filters_of_case_tiles(town: Town) -> None:
    for n in range(4):
        town.report(column=n, row=0)
    town.report(column=0, row=0, category="E0110")
    tile = tile_at(0, 0, 12)
    assert cases(town, tile)["count"] == 5
    assert cases(town, tile, query="?category=E0110")["count"] == 1
    assert cases(town, tile, query="?category=E01")["count"] == 5
    assert cases(town, tile, query="?channel=patrol,hotline")["count"] == 0
    assert cases(town, tile, query="?state=closed&open=false")["count"] == 0
    assert cases(town, tile, query="?from=2026-11-23&to=2026-11-23")["count"] == 5
    assert cases(town, tile, query="?from=2026-11-24")["count"] == 0
    assert cases(town, tile, query=f"?area_id={town.areas['grid', 'G0000']}")["count"] == 2
    for wrong in ("?channel=smoke", "?state=lost", "?from=2026-02-02&to=2026-01-01", "?from=yesterday", "?x=1"):
        assert town.get(f"/tiles/cases/{tile.z}/{tile.x}/{tile.y}.json{wrong}", "leader").status_code == 400, wrong


def test_an_unchanged_case_tile_is_304(town: Town) -> None:
    town.report()
    path = f"/tiles/cases/{tile_at(0, 0, 12).z}/{tile_at(0, 0, 12).x}/{tile_at(0, 0, 12).y}.json"
    first = town.get(path, "leader")
    headers = {**town.headers("leader"), "If-None-Match": first.headers["ETag"]}
    assert town.client().get(path, headers=headers).status_code == 304
    other = {**town.headers("chief_1"), "If-None-Match": first.headers["ETag"]}
    assert json.loads(town.client().get(path, headers=other).data)["count"] == 0
