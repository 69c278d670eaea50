"""Maps as pages get them: nothing from outside, nothing inline that a strict policy would refuse."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.maps.compose import MapParts, MapPlan, View, compose
from mapsvc.maps.elements import AreaLayer, BaseMap, Behaviour, CaseLayer, LabelLayer, Net, script_json

BOX = (121.5, 38.85, 121.7, 38.95)


def static(name: str) -> str:
    return f"/static/{name}"


def city() -> MapParts:
    layers = [
        Net(),
        BaseMap(url="/tiles/{z}/{x}/{y}.png", datum="gcj02"),
        AreaLayer(url="/api/v1/areas?level=patch", level="patch", leads_from=14, zooms=[12, 22]),
        LabelLayer(),
        CaseLayer(url="/map/cases"),
    ]
    return compose(MapPlan(View(box=BOX), "城区地图", layers, Behaviour("city", level="patch")), static)


def test_no_outside_address_and_nothing_inline() -> None:
    parts = city()
    text = parts.header + parts.html + parts.script
    assert not re.search(r"(https?:)?//[a-z]", text)
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?! src=)", text)


def test_head_links_our_own_files_only() -> None:
    parts = city()
    links = re.findall(r'(?:src|href)="([^"]+)"', parts.header)
    assert links == ["/static/vendor/leaflet/leaflet.js", "/static/vendor/leaflet/leaflet.css", "/static/css/map.css"]
    assert "<meta" not in parts.header


def test_layers_come_in_order_and_behaviour_last() -> None:
    calls = re.findall(r"mapsvc\.(\w+)\(", city().script)
    assert calls == ["createMap", "net", "base", "areas", "labels", "cases", "city"]


def test_two_maps_in_one_process_do_not_share_files() -> None:
    view = View(lon=121.6, lat=38.9)
    first = compose(MapPlan(view, "a", []), static)
    second = compose(MapPlan(view, "b", []), lambda name: f"/elsewhere/{name}")
    assert "/elsewhere/" not in first.header
    assert second.header.count("<script") == 1
    assert '"/static' not in second.header


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(box=BOX), {"bounds": [[38.85, 121.5], [38.95, 121.7]]}),
        (View(lon=121.6, lat=38.9, zoom=17), {"center": [38.9, 121.6], "zoom": 17}),
        (View(), {"center": [35.0, 104.0], "zoom": 4}),
    ],
)
def test_view_says_latitude_first_to_leaflet(view: View, expected: dict[str, object]) -> None:
    assert view.options() == expected


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "{% raw %}", "{# x #}", "</script><script>alert(1)</script>", "'\"\\"])
def test_names_from_users_neither_run_nor_leave_the_script(name: str) -> None:
    parts = compose(MapPlan(View(), name, [AreaLayer(url="/a", level=name)], Behaviour("city", place=name)), static)
    assert "</script" not in parts.script
    shown = re.findall(r"mapsvc\.(?:createMap\(\"\w+\", |areas\()(\{.*\})\);", parts.script)
    assert json.loads(shown[0])["label"] == name
    assert json.loads(shown[1])["level"] == name


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_script_json_keeps_every_value(value: object) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not re.search(r"[<>&]|\{\{|\{%|\{#", text)
