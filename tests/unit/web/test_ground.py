"""The ground layers in pages: for whom, from which address, kept how long, and nothing where there is nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from mapsvc.areas.ground import GroundRows
from mapsvc.areas.service.ground import write_ground
from mapsvc.geo.groundtiles import to_world
from mapsvc.people.rules.actor import SYSTEM
from tests.squares import SOUTH, WEST
from tests.town import Town

from .conftest import Make

TILE = re.compile(r'"url":"(/map/ground/\{z\}/\{x\}/\{y\}\.json\?v=([0-9a-f]{12}))"')


def lay(data_dir: Path, layer: str = "roads", kind: str = "主干路", name: str = "解放路") -> None:
    line = shapely.LineString([(WEST, SOUTH), (WEST + 0.01, SOUTH + 0.01)])
    write_ground(data_dir, SYSTEM, layer, GroundRows(np.array([line], dtype=object), [name], [kind]))


def tile_path(version: str, z: int = 14) -> str:
    x, y = (to_world(np.array([[WEST, SOUTH]]))[0] * 2**z).astype(int).tolist()
    return f"/map/ground/{z}/{x}/{y}.json?v={version}"


def page(town: Town, who: str = "") -> str:
    return town.get("/", who).get_data(as_text=True)


def version_of(text: str) -> str:
    found = TILE.search(text)
    assert found is not None
    return found[2]


def test_without_files_nothing_is_drawn_and_nothing_is_in_the_legend(town: Town) -> None:
    text = page(town, "dispatcher")
    assert "mapsvc.ground(" not in text
    assert "mapsvc.net(" in text
    assert "data-ground" not in text


def test_what_is_there_is_drawn_for_everybody(town: Town) -> None:
    lay(town.settings.data_dir)
    for who in ("", "dispatcher"):
        text = page(town, who)
        answer = town.get(tile_path(version_of(text)), who)
        [roads] = [layer for layer in answer.json["layers"] if layer["code"] == "roads"]
        [[shape, kind, name, households, _]] = roads["features"]
        assert (shape, roads["kinds"][kind], name, households) == (2, "主干路", "解放路", None)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "mapsvc.net(" not in text


def test_the_legend_names_only_kinds_that_are_there(town: Town) -> None:
    lay(town.settings.data_dir)
    shown = re.findall(r'data-ground="(\w+)".*?</svg>([^<]+)</li>', page(town, "dispatcher"), re.DOTALL)
    assert shown == [("roads", "主干路")]


@pytest.mark.parametrize("base", ["", "http://127.0.0.1:9/{z}/{x}/{y}.png"])
def test_over_a_tile_service_the_own_base_map_waits_to_be_switched_on(make_town: Make, base: str) -> None:
    town = make_town(base_map_url=base)
    lay(town.settings.data_dir)
    text = page(town, "dispatcher")
    assert f'"hidden":{"true" if base else "false"}' in text
    (switch,) = re.findall(r'<input type="checkbox" data-layer="ground:roads"[^>]*>', text)
    assert ("checked" in switch) is not bool(base)
    # Maps without switches leave it out, and out of their legend.
    other = town.get("/areas/patch/P0", "dispatcher", follow_redirects=True).get_data(as_text=True)
    assert ("mapsvc.ground(" in other) is not bool(base)
    assert ("data-ground" in other) is not bool(base)


def test_an_old_version_is_asked_for_again(town: Town) -> None:
    lay(town.settings.data_dir)
    old = version_of(page(town))
    lay(town.settings.data_dir, name="人民路")
    new = version_of(page(town))
    assert new != old
    stale = town.get(tile_path(old))
    assert "人民路" in stale.get_data(as_text=True)
    assert stale.headers["Cache-Control"] == "public, no-cache"
    tag = {"If-None-Match": stale.headers["ETag"]}
    assert town.client().get(tile_path(old), headers=tag).status_code == 304


def test_a_layer_for_staff_is_for_staff(make_town: Any, tmp_path: Path) -> None:
    folder = tmp_path / "layers"
    folder.mkdir()
    (folder / "pipes.toml").write_text(
        'source = "ground"\nground = "pipes"\nzooms = [0, 22]\naudience = "staff"\norder = 1\n'
        '[legend]\nzh = "管线"\nen = "Pipes"\n[style]\ncolor = "#336699"\n',
        encoding="utf-8",
    )
    town: Town = make_town(layers_dir=folder)
    lay(town.settings.data_dir, "pipes", name="某某管线")
    text = page(town, "dispatcher")
    answer = town.get(tile_path(version_of(text)), "dispatcher")
    assert "某某管线" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"].startswith("private, ")
    assert "某某管线" not in town.get(tile_path(version_of(text))).get_data(as_text=True)
    assert TILE.search(page(town)) is None


def test_tiles_that_cannot_be_are_not_there(town: Town) -> None:
    for path in ("/map/ground/16/0/0.json", "/map/ground/3/8/0.json", "/map/ground/3/0/8.json"):
        assert town.get(path).status_code == 404


def test_an_empty_place_is_an_empty_tile(town: Town) -> None:
    lay(town.settings.data_dir)
    answer = town.get("/map/ground/14/0/0.json")
    assert [layer["features"] for layer in answer.json["layers"]] == [[]]
