"""A map in one file: everything inside, nothing named that lies outside, a policy that allows just that."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mapsvc.base.errors import Misconfigured
from mapsvc.base.paths import static_dir
from mapsvc.geo import heat, heat_classes
from mapsvc.geo.tiles.mercator import to_unit
from mapsvc.maps.compose import MapPlan, View
from mapsvc.maps.elements import AreaLayer, Behaviour
from mapsvc.maps.pictures import draw_region
from mapsvc.maps.standalone import Inlined, inline

BOX = (121.5, 38.85, 121.7, 38.95)


def made(label: str = "地图") -> Inlined:
    layers = [AreaLayer(url="areas/patch", level="patch", leads_from=0, zooms=[0, 22])]
    return inline(MapPlan(View(box=BOX), label, layers, Behaviour("sheet", level="patch")), static_dir())


def test_script_and_style_are_whole_and_name_no_place_outside() -> None:
    found = made()
    assert "L.canvas" in found.script
    assert ".leaflet-pane" in found.style
    assert re.findall(r"url\((?!data:|#)[^)]*\)", found.style) == []
    assert "@import" not in found.style
    assert "sourceMappingURL" not in found.script
    # Leaflet names its own site in the control that we do not use, and the names of XML kinds are no addresses.
    places = set(re.findall(r"https?://[^\"'`\s)]+", found.script)) - {"http://www.w3.org/2000/svg"}
    assert all("leafletjs.com" in place for place in places), places


def test_the_policy_is_the_hash_of_what_stands_there() -> None:
    found = made()
    for kind, text in (("script", found.script), ("style", found.style)):
        assert "\r" not in text, "a browser would read, and hash, another text"
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in found.policy
    assert "default-src 'none'" in found.policy
    assert not re.search(r"unsafe|https?:|\*|'self'", found.policy)


def test_no_text_ends_the_script() -> None:
    found = made("</script><script>alert(1)</script><!--{{ 7 * 7 }}")
    assert "</script" not in found.script
    assert "<!--" not in found.script
    assert "49" not in found.script.split("createMap(")[-1].split("\n")[0]


def test_a_missing_library_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"leaflet\.js"):
        inline(MapPlan(View(box=BOX), "", []), tmp_path)


def test_a_picture_of_heat_lies_where_the_heat_is(tmp_path: Path) -> None:
    frame = heat.make_frame(BOX, 300.0)
    values = heat.density(frame, [121.55], [38.9])
    step = heat_classes.step_for(float(values.max()))
    picture = draw_region(frame, values, BOX, step)
    path = tmp_path / "heat.png"
    path.write_bytes(picture.png)
    image = Image.open(path)
    assert max(image.size) <= 6 * 256
    west, south, east, north = picture.box
    assert (west, south) <= (BOX[0], BOX[1])
    assert south <= BOX[1]
    assert east >= BOX[2]
    assert north >= BOX[3]
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    rows, columns = np.nonzero(alpha == alpha.max())
    (x0, x1, x), (y1, y0, y) = to_unit([west, east, 121.55], [south, north, 38.9])
    assert columns.mean() / image.width == pytest.approx((x - x0) / (x1 - x0), abs=0.005)
    assert rows.mean() / image.height == pytest.approx((y - y0) / (y1 - y0), abs=0.005)
