"""A base map of the settings: tiles in GCJ-02 lie under WGS 84 data to two pixels, clicks stay WGS 84; archives too."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from mapsvc.base.settings import Settings
from mapsvc.demo.town import make_town
from mapsvc.geo.datums import wgs84_to_gcj02
from mapsvc.geo.groundtiles import to_world

from .conftest import DESK, Site, log_in, serve, settle

pytestmark = pytest.mark.browser

INK = (255, 0, 255)
RADIUS = 7
BARE = "cases,labels," + ",".join(f"ground:{name}" for name in ("roads", "water", "green", "buildings", "compounds"))
"""Layers switched off, so that nothing covers the mark: the town's own ground lies above a base map."""


@pytest.fixture(scope="module")
def place() -> tuple[float, float]:
    """A point in the middle of the town, WGS 84 degrees."""
    west, south, east, north = make_town().at("district")[0].border.bounds
    return (west + east) / 2, (south + north) / 2


def tile_with_mark(lon: float, lat: float, z: int, x: int, y: int) -> bytes:
    """Return a grey tile with a disk wherever the mark reaches into it; degrees of the tile service's own datum."""
    picture = Image.new("RGB", (256, 256), (225, 225, 225))
    px, py = ((to_world(np.array([[lon, lat]]))[0] * 2**z - (x, y)) * 256).tolist()
    if -RADIUS < px < 256 + RADIUS and -RADIUS < py < 256 + RADIUS:
        ImageDraw.Draw(picture).ellipse((px - RADIUS, py - RADIUS, px + RADIUS, py + RADIUS), fill=INK)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class TileService:
    """A tile service on this machine that marks one place."""

    url: str
    asked: list[str]


class _Tiles(BaseHTTPRequestHandler):
    def __init__(self, mark: tuple[float, float], asked: list[str], *more: object) -> None:
        self.mark, self.asked = mark, asked
        super().__init__(*more)  # type: ignore[arg-type]  # whatever the server hands over

    def do_GET(self) -> None:
        query = {key.lower(): value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
        self.asked.append(self.path)
        z, x, y = int(query["tilematrix"]), int(query["tilecol"]), int(query["tilerow"])
        content = tile_with_mark(*self.mark, z, x, y)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture(scope="module")
def service(place: tuple[float, float]) -> Iterator[TileService]:
    lon, lat = (float(value[0]) for value in wgs84_to_gcj02(np.array([place[0]]), np.array([place[1]])))
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Tiles, (lon, lat), asked))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield TileService(f"http://127.0.0.1:{server.server_port}/wmts?REQUEST=GetTile&TILEMATRIXSET=w", asked)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def moved_site(town_settings: Settings, service: TileService) -> Iterator[Site]:
    yield from serve(replace(town_settings, base_map_url=service.url, base_map_datum="gcj02"))


@pytest.fixture
def page(chromium: Browser, moved_site: Site) -> Iterator[Page]:
    context = chromium.new_context(base_url=moved_site.url, viewport=DESK)  # type: ignore[arg-type]  # two numbers
    page = context.new_page()
    log_in(page, "zhaoxue")
    yield page
    context.close()


def off_by(page: Page, place: tuple[float, float]) -> float:
    """Return how many pixels the painted mark lies from where the map puts its WGS 84 position."""
    settle(page)
    page.wait_for_timeout(400)  # tiles fade in
    expected = page.evaluate(
        """([lon, lat]) => {
            const element = document.querySelector(".folium-map");
            const at = element.map.latLngToContainerPoint([lat, lon]);
            const { left, top } = element.getBoundingClientRect();
            return [at.x + left, at.y + top];
        }""",
        list(place),
    )
    pixels = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    marked = (pixels[..., 0] > 170) & (pixels[..., 1] < 120) & (pixels[..., 2] > 170)
    ys, xs = np.nonzero(marked)
    assert len(xs) > 60, "the mark is not in the picture"
    return float(np.hypot(xs.mean() + 0.5 - expected[0], ys.mean() + 0.5 - expected[1]))


def test_a_base_in_gcj02_fits_after_loading_dragging_and_zooming(page: Page, place: tuple[float, float]) -> None:
    page.goto(f"/?off={BARE}&at=15/{place[1]:.5f}/{place[0]:.5f}")
    assert off_by(page, place) < 2
    page.mouse.move(700, 500)
    page.mouse.down()
    page.mouse.move(500, 380, steps=8)
    page.mouse.up()
    assert off_by(page, place) < 2
    page.locator(".leaflet-control-zoom-in").click()
    assert off_by(page, place) < 2
    page.locator(".leaflet-control-zoom-out").click()
    page.wait_for_timeout(300)
    page.locator(".leaflet-control-zoom-out").click()
    assert off_by(page, place) < 2


def test_without_the_move_the_mark_would_be_far_off(
    chromium: Browser, town_settings: Settings, service: TileService, place: tuple[float, float]
) -> None:
    """So that the test above cannot pass for a base that was never in GCJ-02."""
    for site in serve(replace(town_settings, base_map_url=service.url)):
        context = chromium.new_context(base_url=site.url, viewport=DESK)  # type: ignore[arg-type]  # two numbers
        page = context.new_page()
        log_in(page, "zhaoxue")
        page.goto(f"/?off={BARE}&at=15/{place[1]:.5f}/{place[0]:.5f}")
        assert off_by(page, place) > 40
        context.close()


def test_clicks_stay_in_wgs84(page: Page, place: tuple[float, float]) -> None:
    page.goto(f"/?off=cases,labels&at=17/{place[1]:.5f}/{place[0]:.5f}")
    settle(page)
    box = page.locator(".folium-map").bounding_box()
    assert box is not None
    with page.expect_request(lambda request: "/locate?" in request.url) as asked:
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    query = parse_qs(urlsplit(asked.value.url).query)
    assert abs(float(query["lon"][0]) - place[0]) < 3e-5
    assert abs(float(query["lat"][0]) - place[1]) < 3e-5
    assert "datum" not in query


def test_the_policy_lets_in_pictures_of_that_host_only(page: Page, service: TileService) -> None:
    answer = page.goto("/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    host = "http://" + urlsplit(service.url).netloc
    directives = {part.split()[0]: part for part in policy.split("; ")}
    assert host in directives["img-src"]
    assert [name for name, part in directives.items() if host in part] == ["img-src"]
    assert json.dumps(service.asked)  # tiles were asked for, by row and column
    assert all("TILEMATRIX=" in path for path in service.asked)
