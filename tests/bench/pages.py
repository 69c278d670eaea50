"""The city map in a browser beside folium's own page of the same areas and cases: `python -m tests.bench.pages`.

Ours is served by granian over a store that holds the data; theirs is the file that `folium.GeoJson` and `MarkerCluster`
write, with the libraries it asks for taken from this machine. Both are opened in headless Chromium in turns, each time
in a browser of its own, and led through the same script: two drags, three zooms in with a drag after each, three zooms
out. The level of grids is in front, so that both show the same areas. Medians of rounds; ratios are what to quote.

First: seconds until the first area or case has been drawn. All: until every tile of the view is drawn and no long task
follows. Page: what the browser had fetched by then, as it travelled; of folium's page gzipped what it
takes of the libraries it asks for, too. Frames: of the whole script, pauses included, 60
where none is dropped. Memory: what the page's own process held after the script, without what it shares.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import folium
import shapely
from folium.plugins import MarkerCluster
from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

from mapsvc.areas.index import Snapshots
from mapsvc.areas.tiles import MANY, AreaTiles
from mapsvc.base.clock import SystemClock
from mapsvc.base.settings import Settings, load_settings
from mapsvc.storage.engine import make_engine
from mapsvc.storage.work import Store
from tests.bench.ground import CENTRE
from tests.bench.http import serving
from tests.bench.pages_town import City, build, number_of
from tests.postgis import private_cluster
from tests.squares import shipped_levels

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = os.environ.get("MAPSVC_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info", "--disable-background-networking"]
VIEW = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
THEIRS = {
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
    "leaflet.markercluster.js": "leaflet.markercluster/dist/leaflet.markercluster.js",
    "MarkerCluster.css": "leaflet.markercluster/dist/MarkerCluster.css",
    "MarkerCluster.Default.css": "leaflet.markercluster/dist/MarkerCluster.Default.css",
}
"""What folium's page needs for areas and clusters, of what it asks for: the rest (jQuery, Bootstrap) is left out."""

WATCH = """
window.bench = { first: 0, all: 0, frames: [], longest: 0 };
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    bench.all = Math.max(bench.all, one.startTime + one.duration);
    bench.longest = Math.max(bench.longest, one.duration);
  }
}).observe({ type: "longtask", buffered: true });
const marks = ["fill", "stroke", "putImageData", "fillText"];
for (const name of marks) {
  const own = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (...given) {
    if (!this.canvas.closest?.(".pane-net, .pane-ground")) {
      bench.first ||= performance.now();
      bench.last = performance.now();
    }
    return own.apply(this, given);
  };
}
new MutationObserver((changes) => {
  for (const { target, addedNodes } of changes) {
    const svg = [...addedNodes].some((node) => node.nodeName === "path" || node.nodeName === "svg");
    if (svg || target.closest?.(".leaflet-marker-pane")) {
      bench.first ||= performance.now();
      bench.last = performance.now();
    }
  }
}).observe(document, { childList: true, subtree: true });
"""


@dataclass(frozen=True)
class Measured:
    """One opening of a page: seconds, kB, frames a second, milliseconds, MB."""

    first_s: float
    all_s: float
    page_kb: float
    frames: float
    longest_ms: float
    memory_mb: float


def theirs(city: City) -> bytes:
    """Return the page that folium writes of the same data: the borders, and each case with its number and state."""
    made = folium.Map(location=CENTRE[::-1], zoom_start=11, tiles=None, max_zoom=18)
    made.options["max_zoom"] = 18  # MarkerCluster asks for it, and folium gives it to tiles only
    folium.GeoJson(shapely.to_geojson(shapely.geometrycollections(city.shapes))).add_to(made)
    if len(city.points):
        group = MarkerCluster().add_to(made)
        for number, ((lon, lat), state) in enumerate(zip(city.points.tolist(), city.states, strict=True)):
            folium.Marker((lat, lon), tooltip=f"{number_of(number)} {state}").add_to(group)
    page: bytes = made.get_root().render().encode()
    return page


@contextmanager
def fresh(playwright: Playwright) -> Iterator[Browser]:
    """Yield a browser that has nothing in its cache and nothing in its memory."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


def measure(browser: Browser, url: str, headers: dict[str, str], *, phone: bool, serve: bytes | None) -> Measured:
    """Open an address, or a page that is given, and lead it through the script."""
    context = browser.new_context(
        viewport=PHONE if phone else VIEW,  # type: ignore[arg-type]  # a plain dict with the two numbers
        extra_http_headers=headers,
    )
    page = context.new_page()
    page.add_init_script(WATCH)
    if serve is not None:
        page.route("**/*", lambda route: _theirs(route, url, serve))
    session = context.new_cdp_session(page)
    if phone:
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    fetched: list[float] = []
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: fetched.append(event["encodedDataLength"]))
    page.goto(url, wait_until="commit")
    first, whole = _settled(page)
    kb = packed_kb(serve) if serve is not None else sum(fetched) / 1000
    frames, longest = _script(page, VIEW if not phone else PHONE)
    memory = _memory(browser)
    context.close()
    return Measured(first, whole, kb, frames, longest, memory)


def packed_kb(page: bytes) -> float:
    """Return the kB of folium's page and of the libraries that it is given, gzipped as ours are."""
    parts = [page, *((ROOT / "node_modules" / name).read_bytes() for name in THEIRS.values())]
    return sum(len(gzip.compress(part, 5)) for part in parts) / 1000


def _theirs(route: Route, url: str, page: bytes) -> None:
    if route.request.url == url:
        route.fulfill(body=page, content_type="text/html; charset=utf-8")
        return
    name = route.request.url.rsplit("/", 1)[-1]
    if name in THEIRS:
        route.fulfill(path=ROOT / "node_modules" / THEIRS[name])
    else:
        route.fulfill(status=204, body="")


def _settled(page: Page) -> tuple[float, float]:
    """Wait until nothing has been drawn for a while; return when the first and the last was."""
    page.wait_for_load_state("load", timeout=180_000)
    known = -1.0
    for _ in range(400):
        page.wait_for_timeout(300)
        found: dict[str, float] = page.evaluate(
            "() => ({ first: bench.first, last: Math.max(bench.last ?? 0, bench.all) })"
        )
        if found["first"] and found["last"] == known:
            break
        known = found["last"]
    return found["first"] / 1000, found["last"] / 1000


def _script(page: Page, view: dict[str, int]) -> tuple[float, float]:
    """Drag, zoom in and out; return frames a second and the longest frame in milliseconds."""
    page.evaluate(
        """() => {
            let before = performance.now();
            bench.frames = [];
            const step = (now) => {
                bench.frames.push(now - before);
                before = now;
                bench.frame = requestAnimationFrame(step);
            };
            bench.frame = requestAnimationFrame(step);
        }"""
    )
    x, y = view["width"] / 2, view["height"] / 2

    def drag(dx: float, dy: float) -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + dx, y + dy, steps=20)
        page.mouse.up()
        page.wait_for_timeout(400)

    drag(-150, 90)
    drag(120, -110)
    for sign in (-120, -120, -120, 120, 120, 120):
        page.mouse.move(x, y)
        page.mouse.wheel(0, sign)
        page.wait_for_timeout(900)
        if sign < 0:
            drag(-120, 60)
    frames: list[float] = page.evaluate("() => { cancelAnimationFrame(bench.frame); return bench.frames.slice(1); }")
    return 1000 * len(frames) / sum(frames), max(frames)


def _memory(browser: Browser) -> float:
    """Return the MB that the page's renderer holds for itself (anonymous memory), as the system counts it.

    The browser keeps a spare renderer ready; the page's own is the largest.
    """
    session = browser.new_browser_cdp_session()
    processes: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
    held = []
    for one in processes:
        if one["type"] == "renderer":
            status = Path(f"/proc/{one['id']}/status").read_text()
            held += [int(kb) for kb in re.findall(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)]
    return max(held) / 1000


def medians(rounds: list[Measured]) -> Measured:
    """Return the medians of all figures."""
    return Measured(*(statistics.median(getattr(one, name.name) for one in rounds) for name in fields(Measured)))


def show(name: str, found: Measured) -> None:
    print(
        f"  {name:34} first {found.first_s:6.2f} s   all {found.all_s:6.2f} s   page {found.page_kb:8.0f} kB   "
        f"{found.frames:5.1f} frames/s (longest {found.longest_ms:5.0f} ms)   {found.memory_mb:6.0f} MB"
    )


def compare(city: City, url: str, title: str, rounds: int, *, with_theirs: bool, phones: bool) -> None:
    """Measure both pages in turns and print their medians and ratios."""
    headers = {"Authorization": f"Bearer {city.token}"}
    start = time.perf_counter()
    their_page = theirs(city) if with_theirs else b""
    made_s = time.perf_counter() - start

    def ours(browser: Browser, phone: bool) -> Measured:
        return measure(browser, f"{url}/?level=grid", headers, phone=phone, serve=None)

    def other(browser: Browser, phone: bool) -> Measured:
        return measure(browser, "http://folium.test/", {}, phone=phone, serve=their_page)

    print(f"\n{title}")
    if with_theirs:
        print(f"  folium's page: {made_s:.1f} s to write, {len(their_page) / 1e6:.1f} MB")
    with sync_playwright() as playwright:
        with fresh(playwright) as browser:
            ours(browser, False)  # the server makes its tiles once
        for phone in (False, True) if phones else (False,):
            found: dict[str, list[Measured]] = {"ours": [], "folium": []}
            for _ in range(rounds):
                for name, way in (("ours", ours), ("folium", other)):
                    if name == "folium" and not with_theirs:
                        continue
                    with fresh(playwright) as browser:
                        found[name].append(way(browser, phone))
            where = "phone, CPU 4 x slower" if phone else "desk"
            kept = {name: medians(measured) for name, measured in found.items() if measured}
            for name, measured in kept.items():
                show(f"{name}, {where}", measured)
            if "folium" in kept:
                print(
                    f"  {'':34} ours / folium: first {kept['ours'].first_s / kept['folium'].first_s:.2f}, "
                    f"all {kept['ours'].all_s / kept['folium'].all_s:.2f}, "
                    f"page {kept['ours'].page_kb / kept['folium'].page_kb:.2f}, "
                    f"memory {kept['ours'].memory_mb / kept['folium'].memory_mb:.2f}"
                )


@contextmanager
def city_of(grids: int, cases: int, database_url: str = "") -> Iterator[tuple[City, str]]:
    """Build a city and serve it; yield it and its address. Without a store's address it lies on SQLite."""
    with tempfile.TemporaryDirectory(prefix="mapsvc-pages-") as folder:
        given = {"MAPSVC_DATA_DIR": folder, "MAPSVC_PUBLIC_REPORTS_PER_HOUR": "100000"}
        if database_url:
            given["MAPSVC_DATABASE_URL"] = database_url
        settings = load_settings(given)
        start = time.perf_counter()
        city = build(settings, grids, cases)
        print(f"\n{grids} grids and {cases} cases built in {time.perf_counter() - start:.0f} s", flush=True)
        before = dict(os.environ)
        os.environ.update(given)
        try:
            make_ahead(settings)
            with serving(Path(folder), workers=1, threads=2) as url:
                yield city, url
        finally:
            os.environ.clear()
            os.environ.update(before)


def make_ahead(settings: Settings) -> None:
    """Make the tiles that the worker makes when borders are published."""
    engine = make_engine(settings.store_url)
    store = Store(engine, SystemClock())
    snapshot = Snapshots(store, settings, shipped_levels()).current(store.clock.now())
    if len(snapshot.tables["grid"]) > MANY:
        start = time.perf_counter()
        tiles = AreaTiles(store, shipped_levels(), settings.data_dir / "tiles")
        made = tiles.make_ahead(snapshot, "grid")
        print(f"  {made} tiles made ahead in {time.perf_counter() - start:.0f} s", flush=True)
    engine.dispose()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--grids", default="839,10000", help="on SQLite; with commas")
    options.add_argument("--postgis-grids", type=int, default=100_000, help="on a PostGIS of its own; 0 for none")
    options.add_argument("--cases", type=int, default=20_000)
    options.add_argument("--most-cases", type=int, default=0, help="839 grids once more with so many cases; minutes")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--alone", action="store_true", help="without folium's page: a quick look, no comparison")
    given = options.parse_args()
    if CHROMIUM is None:
        raise SystemExit("Chromium is not installed, so no page can be measured.")
    for count in [int(part) for part in given.grids.split(",") if part]:
        cases = given.cases if count < 5_000 else 0
        with city_of(count, cases) as (city, url):
            title = f"{count} grids, {cases} cases, SQLite"
            compare(city, url, title, given.rounds, with_theirs=not given.alone, phones=count < 5_000)
    if given.most_cases:
        with city_of(839, given.most_cases) as (city, url):
            title = f"839 grids, {given.most_cases} cases, SQLite"
            compare(city, url, title, given.rounds, with_theirs=False, phones=False)
    if given.postgis_grids:
        with private_cluster() as cluster:
            cluster.run("CREATE DATABASE pages")
            cluster.run("CREATE EXTENSION IF NOT EXISTS postgis", "pages")
            # A cluster of tests keeps no statistics; without them each batch of an import looks through all areas.
            for statement in ("SET autovacuum = on", "SET autovacuum_naptime = '2s'"):
                cluster.run(f"ALTER SYSTEM {statement}")
            cluster.run("SELECT pg_reload_conf()")
            with city_of(given.postgis_grids, 0, cluster.url("pages")) as (city, url):
                title = f"{given.postgis_grids} grids, PostGIS"
                compare(city, url, title, given.rounds, with_theirs=False, phones=False)


if __name__ == "__main__":
    main()
