"""Heat tiles and their legend: honest classes on every tile and month, only what the asker may see."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mapsvc.geo import heat_classes
from mapsvc.geo.tiles.mercator import to_unit
from mapsvc.web.tiles.heat import encode_png
from tests import squares
from tests.town import Town


def heat_path(column: int, row: int, z: int, query: str = "") -> str:
    lon, lat = squares.middle(column, row)
    x, y = to_unit([lon], [lat])
    return f"/tiles/heat/{z}/{int(x[0] * 2**z)}/{int(y[0] * 2**z)}.png{query}"


def picture(town: Town, path: str, who: str = "leader") -> np.ndarray:
    answer = town.get(path, who)
    assert (answer.status_code, answer.content_type) == (200, "image/png"), answer.data
    image = Image.open(io.BytesIO(answer.data))
    assert image.size == (256, 256)
    return np.asarray(image.convert("RGBA"))


def legend(town: Town, query: str = "", who: str = "leader") -> dict[str, Any]:
    answer = town.get(f"/tiles/heat.json{query}", who)
    assert answer.status_code == 200, answer.data
    return dict(answer.json)


@pytest.fixture
def warm(town: Town) -> Town:
    """Ten reports in one square, one in another."""
    for _ in range(10):
        town.report(column=0, row=0)
    town.report(column=3, row=3, category="E0110")
    return town


def test_the_legend_states_the_kernel_and_the_classes(warm: Town) -> None:
    told = legend(warm)
    assert (told["unit"], told["kernel"], told["width_m"], told["n"], told["outside"]) == (
        "cases/km2", "gaussian", 150.0, 11, 0,
    )  # fmt: skip
    assert told["highest"] == pytest.approx(10 / (2 * np.pi * 0.15**2), rel=0.1)
    assert len(told["classes"]) == heat_classes.CLASSES
    assert told["classes"][0]["at_least"] == told["step"]
    assert told["classes"][-1]["at_least"] <= told["highest"] < 2 * told["classes"][-1]["at_least"]
    for lower, higher in zip(told["classes"], told["classes"][1:], strict=False):
        assert lower["below"] == higher["at_least"] == 2 * lower["at_least"]


def test_every_tile_bears_the_classes_of_the_legend(warm: Town) -> None:
    told = legend(warm)
    colours = {tuple(bytes.fromhex(one["colour"][1:])) for one in told["classes"]}
    hot = picture(warm, heat_path(0, 0, 17, f"?step={told['step']}"))
    cold = picture(warm, heat_path(3, 3, 17, f"?step={told['step']}"))
    for shown in (hot, cold):
        assert {tuple(colour) for colour in shown[shown[..., 3] > 0][:, :3].tolist()} <= colours
    darkest = tuple(bytes.fromhex(told["classes"][-1]["colour"][1:]))
    assert (hot[..., :3] == darkest).all(axis=-1).any()
    assert not (cold[..., :3] == darkest).all(axis=-1).any()
    assert picture(warm, "/tiles/heat/10/0/0.png")[..., 3].max() == 0


def test_another_width_is_printed_and_drawn(warm: Town) -> None:
    narrow, wide = legend(warm, "?width_m=50"), legend(warm, "?width_m=300")
    assert (narrow["width_m"], wide["width_m"]) == (50.0, 300.0)
    assert narrow["highest"] > 4 * wide["highest"]


def test_months_of_one_request_share_their_classes(warm: Town) -> None:
    told = legend(warm, "?from=2026-09-15&to=2026-11-30&by=month")
    assert [(month["first"], month["last"], month["n"]) for month in told["months"]] == [
        ("2026-09-15", "2026-09-30", 0),
        ("2026-10-01", "2026-10-31", 0),
        ("2026-11-01", "2026-11-30", 11),
    ]
    assert told["months"][0]["highest"] == 0
    assert told["step"] == heat_classes.step_for(told["months"][2]["highest"])
    empty = picture(warm, heat_path(0, 0, 15, f"?from=2026-10-01&to=2026-10-31&step={told['step']}"))
    assert empty[..., 3].max() == 0
    assert warm.get("/tiles/heat.json?by=month", "leader").json["code"] == "needs_window"
    assert (
        warm.get("/tiles/heat.json?by=month&from=2020-01-01&to=2026-01-01", "leader").json["code"] == "window_too_long"
    )


def test_heat_shows_only_what_one_may_see(warm: Town) -> None:
    assert legend(warm, who="grid_chief")["n"] == 10
    assert legend(warm, who="unit_a")["n"] == 0
    assert legend(warm, who="unit_a")["classes"] == []
    assert picture(warm, heat_path(0, 0, 15), "unit_a")[..., 3].max() == 0
    assert picture(warm, heat_path(0, 0, 15), "grid_chief")[..., 3].max() > 0
    for path in (heat_path(0, 0, 15), "/tiles/heat.json"):
        assert warm.get(path).status_code == 401
        assert warm.get(path, "planner").status_code == 403


def test_filters_of_heat(warm: Town) -> None:
    assert legend(warm, "?category=E0110")["n"] == 1
    assert legend(warm, "?channel=public")["n"] == 11
    assert legend(warm, "?channel=hotline,patrol")["n"] == 0
    assert legend(warm, "?to=2026-01-01")["n"] == 0
    assert legend(warm, f"?area_id={warm.areas['grid', 'G0303']}")["n"] == 1
    assert legend(warm, "?open=true")["n"] == 11


def test_new_cases_are_in_the_next_picture(warm: Town) -> None:
    before = legend(warm)["n"]
    warm.report(column=1, row=1)
    memory = warm.app.extensions["mapsvc"].columns
    memory.current(fresh=True)
    assert legend(warm)["n"] == before + 1


@pytest.mark.parametrize(
    "query", ["?width_m=3", "?width_m=wide", "?step=0", "?step=-1", "?step=nan", "?channel=x", "?by=week", "?x=1"]
)
def test_questions_that_cannot_be_understood(town: Town, query: str) -> None:
    assert town.get(f"/tiles/heat.json{query}", "leader").status_code == 400


def test_a_town_without_cases_or_borders_has_an_empty_legend(town: Town) -> None:
    told = legend(town)
    assert (told["n"], told["step"], told["classes"], told["highest"]) == (0, 0.0, [], 0.0)
    assert picture(town, heat_path(0, 0, 15))[..., 3].max() == 0
    assert town.get("/tiles/heat/23/0/0.png", "leader").status_code == 404


def test_what_cannot_be_told_is_hatched() -> None:
    classes = np.full((256, 256), heat_classes.UNKNOWN, np.uint8)
    shown = np.asarray(Image.open(io.BytesIO(encode_png(classes))).convert("RGBA"))
    share = (shown[..., 3] > 0).mean()
    assert 0.2 < share < 0.4
