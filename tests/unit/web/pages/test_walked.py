"""Findings per km walked, on both stores: against brute force, over what one may see, silent where it must be."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from mapsvc.areas.index import Snapshots
from mapsvc.base.clock import FixedClock
from mapsvc.base.settings import Settings
from mapsvc.geo.measure import distance_m
from mapsvc.geo.tiles.mercator import to_unit
from mapsvc.geo.tracks import make_fixes
from mapsvc.patrols.rules.values import PatrolData
from mapsvc.patrols.service.record import record_patrols
from mapsvc.people.rules.actor import SYSTEM
from mapsvc.storage.work import Store
from tests import squares
from tests import town as towns
from tests.town import Town

FOUND = {0: 4, 1: 2, 3: 1}
"""Findings of patrols by column of the lowest row."""


@pytest.fixture
def walked(store: Store, store_settings: Settings, clock: FixedClock) -> Iterator[Town]:
    """Row 0 was walked 15 times from end to end, row 1 once; row 3 never. Residents report everywhere."""
    town = towns.build(store, store_settings, clock)
    for column, count in FOUND.items():
        for _ in range(count):
            assert town.report("dispatcher", column=column, channel="staff")[1].status_code == 201
    for column in range(4):
        town.report(column=column, row=3)
    snapshot = Snapshots(store, store_settings, squares.shipped_levels()).current(clock.now())
    patrols = [walk(town, 0, hours) for hours in range(1, 16)] + [walk(town, 1, 20)]
    with store.write() as work:
        assert {each.status for each in record_patrols(work, SYSTEM, snapshot, patrols)} == {"created"}
    yield town
    town.close()


def walk(town: Town, row: int, hours_ago: int) -> PatrolData:
    at = np.arange(0.0, 330.0, 5.0)
    lon = squares.WEST + at * 1.2 / 83_000
    lat = np.full(len(at), squares.SOUTH + (row + 0.5) * squares.SIDE)
    begins = (town.clock.now() - timedelta(hours=hours_ago)).timestamp()
    return PatrolData(uuid4(), "P0", "foot", make_fixes(begins + at, lon, lat))


def page(town: Town, path: str, who: str = "leader") -> str:
    answer = town.get(path, who)
    assert answer.status_code == 200, answer.data[:500]
    return answer.get_data(as_text=True)


def table(html: str) -> dict[str, list[str]]:
    """Return the cells of the table under the map by the name of the area."""
    body = html.split("</section>")[2:]
    text = next(part for part in body if "data-map-month" in part)
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', text, re.DOTALL)
    return {name: re.findall(r">([^<]*)</td>", cells) for name, cells in rows}


def map_data(html: str) -> dict[str, Any]:
    found = re.search(r"mapsvc\.insight\(\w+, (\{.*\})\);", html)
    assert found is not None
    return dict(json.loads(found[1]))


def legend(town: Town, query: str = "", who: str = "leader") -> dict[str, Any]:
    answer = town.get(f"/tiles/heat.json?per=km{query}", who)
    assert answer.status_code == 200, answer.data
    return dict(answer.json)


def test_areas_against_counting_by_hand(walked: Town) -> None:
    html = page(walked, "/insight?show=per_km&level=grid&window=7d&lang=en")
    shown = table(html)
    each_m = distance_m(squares.WEST, 41.8, squares.WEST + squares.SIDE, 41.8).item()
    for column in range(4):
        findings, km, per_km, interval = shown[f"name G000{column}"]
        assert int(findings) == FOUND.get(column, 0)
        assert float(km) == pytest.approx(15 * each_m / 1000, abs=15 * 0.026), "to the cell"
        assert float(per_km) == pytest.approx(int(findings) / float(km), abs=0.1)
        low, high = (float(end) for end in interval.split(" – "))
        # By hand: so many or more are that rare at the lower end, so many or fewer at the upper one.
        assert stats.poisson.sf(int(findings) - 1, low * float(km)) == pytest.approx(0.025, abs=0.01) or low == 0
        assert stats.poisson.cdf(int(findings), high * float(km)) == pytest.approx(0.025, abs=0.01)
    for code in ("G0100", "G0300"):
        assert shown[f"name {code}"][2:] == ["–", "too little walked to tell"]
    data = map_data(html)
    assert data["frame"]["G0300"] == [0, 0, 2], "grey on the map: no kilometres, no value"
    assert data["frame"]["G0000"][0] == 4
    assert data["few"] == 0
    assert "P0" not in html.split("data-map-month")[1].split("</section>")[0].replace("name P0", "")


def test_the_months_of_the_slider_say_the_same(walked: Town) -> None:
    frames = walked.get("/insight/frames?show=per_km&level=patch&window=7d", "leader").json
    assert len(frames["months"]) == len(frames["numerators"]) == len(frames["totals"]) == 12
    at = frames["codes"].index("P0")
    assert frames["numerators"][-1][at] + frames["numerators"][-1][frames["codes"].index("P1")] == 7
    assert frames["totals"][-1][at] > 1
    assert not any(frames["totals"][0])


def test_heat_per_km_is_the_quotient_and_hatched_where_nobody_was(walked: Town) -> None:
    told = legend(walked)
    assert (told["unit"], told["n"]) == ("findings/km", 7)
    assert told["km"] == pytest.approx(16 * 0.39, rel=0.1)
    assert told["least_km_per_km2"] == pytest.approx(1 / (4 * np.pi * 0.15**2), abs=0.01)
    # By brute force at the middle of the densest square: findings over kilometres, both under the same kernel.
    lon, lat = squares.middle(0, 0)
    weight = lambda to_lon, to_lat: np.exp(-(distance_m(lon, lat, to_lon, to_lat) ** 2) / (2 * 150.0**2))  # noqa: E731
    found = sum(count * weight(*squares.middle(column, 0)).item() for column, count in FOUND.items())
    along = np.linspace(squares.WEST, squares.WEST + 325 * 1.2 / 83_000, 400)
    km_each = distance_m(along[0], lat, along[-1], lat).item() / 1000 / len(along)
    km = sum(
        times * km_each * weight(along, np.full(len(along), squares.middle(0, row)[1])).sum()
        for row, times in ((0, 15), (1, 1))
    )
    raster = list(walked.app.extensions["mapsvc"].heats._kept.values())[-1]
    frame = raster.frame
    value = raster.values[int((lat - frame.south) / frame.dlat), int((lon - frame.west) / frame.dlon)]
    assert value == pytest.approx(found / km, rel=0.05)
    assert told["highest"] >= value
    x, y = to_unit([lon], [lat])
    far_x, far_y = to_unit([squares.middle(0, 3)[0]], [squares.SOUTH + 8 * squares.SIDE])
    for (at_x, at_y), path_is_empty in (((x[0], y[0]), False), ((far_x[0], far_y[0]), True)):
        path = f"/tiles/heat/18/{int(at_x * 2**18)}/{int(at_y * 2**18)}.png?per=km"
        image = Image.open(io.BytesIO(walked.get(path, "leader").data)).convert("RGBA")
        alpha = np.asarray(image)[..., 3]
        assert (alpha.max() == 0) == path_is_empty, "beyond the borders nothing is said"


def test_a_chief_counts_both_over_the_own_ground(walked: Town) -> None:
    every, own = legend(walked), legend(walked, who="chief_0")
    assert own["km"] < 0.7 * every["km"]
    assert own["n"] < every["n"]
    codes = set(map_data(page(walked, "/insight?show=per_km&level=grid&window=7d", "chief_0"))["frame"])
    assert 0 < len(codes) < 16
    inside = walked.areas["patch", "P0"]
    assert legend(walked, f"&area_id={inside}")["km"] == pytest.approx(own["km"])


def test_who_may_ask(walked: Town) -> None:
    statuses = Counter(walked.get("/tiles/heat.json?per=km", who).status_code for who in ("planner", "admin", "bare"))
    assert statuses == {403: 3}
    assert walked.get("/tiles/heat.json?per=km").status_code == 401
    assert walked.get("/tiles/heat.json?per=km", "unit_a").status_code == 403, "may see cases, and not what was walked"
    assert walked.get("/tiles/heat.json?per=km", "dispatcher").status_code == 200


def test_a_window_divides_by_its_own_days(walked: Town) -> None:
    assert legend(walked, "&to=2026-01-01")["km"] == 0
    assert legend(walked, "&to=2026-01-01")["classes"] == []


def test_a_new_walk_is_in_the_next_answer(walked: Town) -> None:
    before = legend(walked)
    snapshot = Snapshots(walked.store, walked.settings, squares.shipped_levels()).current(walked.clock.now())
    with walked.store.write() as work:
        record_patrols(work, SYSTEM, snapshot, [walk(walked, 2, 30)])
    assert legend(walked)["km"] > before["km"]


def test_the_page_of_heat_says_what_is_divided(walked: Town) -> None:
    data = map_data(page(walked, "/insight?show=heat_km&lang=en"))
    assert data["heat"]["filter"]["per"] == "km"
    assert "per kilometre" in data["heat"]["legend"]
    assert "per" not in map_data(page(walked, "/insight?show=heat"))["heat"]["filter"]
