"""What the search box of the map finds: areas by code and name, places on the ground by name; for everybody."""

from __future__ import annotations

import numpy as np
import shapely

from mapsvc.areas.ground import GroundRows
from mapsvc.areas.service.ground import write_ground
from mapsvc.people.rules.actor import SYSTEM
from tests.squares import SOUTH, WEST
from tests.town import Town


def ask(town: Town, text: str, who: str = "") -> list[dict[str, object]]:
    answer = town.client().get("/map/search", query_string={"q": text, "lang": "zh"}, headers=town.headers(who))
    assert answer.status_code == 200
    return list(answer.json["found"])


def lay(town: Town) -> None:
    street = [shapely.LineString([(WEST + n / 100, SOUTH), (WEST + (n + 1) / 100, SOUTH)]) for n in range(2)]
    write_ground(
        town.settings.data_dir,
        SYSTEM,
        "roads",
        GroundRows(np.array(street, dtype=object), ["解放路"] * 2, ["支路"] * 2),
    )
    houses = [shapely.box(WEST + n / 100, SOUTH, WEST + n / 100 + 0.001, SOUTH + 0.001) for n in range(3)]
    names = ["3号楼", "3号楼", "解放大厦"]
    write_ground(
        town.settings.data_dir, SYSTEM, "buildings", GroundRows(np.array(houses, dtype=object), names, (), [5, 6, 7])
    )


def test_a_code_finds_its_area_first(town: Town) -> None:
    found = ask(town, "p0")
    assert (found[0]["level"], found[0]["code"]) == ("patch", "P0")
    assert found[0]["box"] is None


def test_the_coarser_level_comes_first_among_equals(town: Town) -> None:
    levels = [str(one["level"]) for one in ask(town, "g0")]
    assert levels == ["grid"] * len(levels)
    assert 0 < len(levels) <= 12


def test_a_street_is_found_once_with_all_its_pieces(town: Town) -> None:
    lay(town)
    [street] = [one for one in ask(town, "解放") if one["name"] == "解放路"]
    west, _, east, _ = street["box"]  # type: ignore[misc]  # a place has a box
    assert (round(west, 6), round(east, 6)) == (round(WEST, 6), round(WEST + 0.02, 6))
    assert (street["about"], street["level"], street["code"]) == ("道路", "", "")


def test_numbers_that_repeat_from_court_to_court_are_no_places(town: Town) -> None:
    lay(town)
    assert ask(town, "3号楼") == []
    assert [one["name"] for one in ask(town, "解放大厦")] == ["解放大厦"]


def test_nothing_finds_nothing(town: Town) -> None:
    for text in ("", "   ", "no-such-thing", "%", "'"):
        assert ask(town, text) == []


def test_no_person_is_found(town: Town) -> None:
    assert ask(town, "chief P0", "dispatcher") == []
