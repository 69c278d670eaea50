"""Addresses of base maps as offices have them, brought to one form or refused with the reason."""

from __future__ import annotations

import pytest

from mapsvc.base.basemap import BadAddress, parse_base_map
from mapsvc.base.errors import Misconfigured
from mapsvc.base.settings import load_settings

KVP = "https://t{s}.example.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec&STYLE=default"


@pytest.mark.parametrize(
    ("text", "kind", "url", "origin"),
    [
        ("https://a.example/{z}/{x}/{y}.png", "tiles", "https://a.example/{z}/{x}/{y}.png", "https://a.example"),
        ("https://{s}.example.org/{z}/{x}/{-y}.png", "tiles", "https://{s}.example.org/{z}/{x}/{-y}.png", "https://*.example.org"),
        ("http://w0{s}.example.cn:81/t?x={x}&y={y}&z={z}", "tiles", "http://w0{s}.example.cn:81/t?x={x}&y={y}&z={z}", "http://*.example.cn:81"),
        (
            f"{KVP}&TILEMATRIXSET=w&FORMAT=tiles&tk=KEY",
            "tiles",
            f"{KVP}&TILEMATRIXSET=w&FORMAT=tiles&tk=KEY&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}",
            "https://*.example.cn",
        ),
        (
            f"{KVP}&TILEMATRIXSET=w&TILEMATRIX={{TileMatrix}}&TILEROW={{TileRow}}&TILECOL={{TileCol}}",
            "tiles",
            f"{KVP}&TILEMATRIXSET=w&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}",
            "https://*.example.cn",
        ),
        (
            "https://a.example/wmts/city/default/GoogleMapsCompatible/{TileMatrix}/{TileRow}/{TileCol}.png",
            "tiles",
            "https://a.example/wmts/city/default/GoogleMapsCompatible/{z}/{y}/{x}.png",
            "https://a.example",
        ),
        ("https://a.example/arc/tile/{level}/{row}/{col}", "tiles", "https://a.example/arc/tile/{z}/{y}/{x}", "https://a.example"),
        ("/base/{z}/{x}/{y}.png", "tiles", "/base/{z}/{x}/{y}.png", ""),
        ("https://a.example/town.pmtiles?k=1", "pmtiles", "https://a.example/town.pmtiles?k=1", "https://a.example"),
        ("/static/town.pmtiles", "pmtiles", "/static/town.pmtiles", ""),
    ],
)  # fmt: skip
def test_an_address_is_brought_to_one_form(text: str, kind: str, url: str, origin: str) -> None:
    found = parse_base_map(text)
    assert (found.kind, found.url, found.origin) == (kind, url, origin)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tiles.example.org/{z}/{x}/{y}", "begins with https://"),
        ("javascript:alert(1)", "begins with https://"),
        ("https://a.example/tiles", "neither {z}"),
        ("https://a.example/{z}/{x}.png", "neither {z}"),
        ("https://a.example/{z}/{x}/{y}.png?key={apikey}", "{apikey}"),
        (KVP.replace("vec_w", "vec_c") + "&TILEMATRIXSET=c", "in degrees"),
        ("https://t0.example.cn/vec_c/wmts?REQUEST=GetTile", "in degrees"),
        (f"{KVP}&tilematrixset=EPSG:4490", "in degrees"),
        (f"{KVP}&TILEMATRIXSET=EPSG:28992", "web Mercator"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_the_start(text: str, said: str) -> None:
    with pytest.raises(BadAddress, match=said.replace("{", r"\{").replace("}", r"\}")):
        parse_base_map(text)
    with pytest.raises(Misconfigured) as caught:
        load_settings({"MAPSVC_BASE_MAP_URL": text})
    assert caught.value.code == "bad_setting"
    assert said in caught.value.message
