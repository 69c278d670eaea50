"""A real server over a real town on a free port, and browsers that let nothing leave the machine.

Every page that a test opens is watched: a request to another host, an error on the console, a violation
of the content security policy or an answer of 500 fails the test at its end.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, Route, sync_playwright
from werkzeug.serving import make_server

from mapsvc.app import create_app
from mapsvc.base.clock import Clock
from mapsvc.base.settings import Settings, load_settings

from . import town

ROOT = Path(__file__).resolve().parent.parent.parent
OUTPUT = ROOT / "tests" / "output"
CHROMIUM = os.environ.get("MAPSVC_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
EXPECTED = re.compile(r"status of (400|401|403|404|409|415|429)")
"""What the console says of an answer that a test asks for on purpose."""


@dataclass(frozen=True)
class Site:
    """A server under test."""

    url: str
    settings: Settings


@dataclass
class Watch:
    """What went wrong in the pages of one test."""

    problems: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    expected_status: set[int] = field(default_factory=set)


def serve(settings: Settings, clock: Clock | None = None) -> Iterator[Site]:
    """Serve an app in a thread of its own until the test session is done, by a clock of the test's or the machine's."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server(
        "127.0.0.1", 0, create_app(settings, clock=clock) if clock else create_app(settings), threaded=True
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(f"http://127.0.0.1:{server.server_port}", settings)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def town_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The data folder of a built town."""
    folder = tmp_path_factory.mktemp("town")
    settings = load_settings(
        {
            "MAPSVC_DATA_DIR": str(folder),
            "MAPSVC_CAPTION": "虚构城区示意图",
            "MAPSVC_DISPLAY_NAME": "青禾区网格地图",
            "MAPSVC_PUBLIC_REPORTS_PER_HOUR": "1000",
        }
    )
    town.build(settings, town.present())
    return settings


@pytest.fixture(scope="session")
def site(town_settings: Settings) -> Iterator[Site]:
    yield from serve(town_settings)


@pytest.fixture(scope="session")
def reviewed_site(town_settings: Settings) -> Iterator[Site]:
    """The same town where the map has a review number (an invented one, for the test only)."""
    yield from serve(replace(town_settings, map_review_number="测试0000号"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    found = Watch()
    yield found
    assert not found.outside, f"requests left the machine: {found.outside}"
    assert not found.problems, "\n".join(found.problems)


Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, site: Site, watch: Watch) -> Iterator[Open]:
    """Return a function that opens a watched page: phone or desk, a tongue, a scheme, logged in as somebody."""
    contexts: list[BrowserContext] = []

    def open_one(
        path: str = "/",
        *,
        who: str = "",
        desk: bool = False,
        language: str = "zh-CN",
        dark: bool = False,
        at: Site = site,
        **more: Any,
    ) -> Page:
        context = chromium.new_context(
            base_url=at.url,
            viewport=DESK if desk else PHONE,  # type: ignore[arg-type]  # a plain dict with the two numbers
            has_touch=not desk,
            locale=language,
            color_scheme="dark" if dark else "light",
            **more,
        )
        contexts.append(context)
        context.route("**/*", lambda route: _only_here(route, at, watch))
        page = context.new_page()
        _listen(page, watch)
        if who:
            log_in(page, who)
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


def log_in(page: Page, who: str) -> None:
    """Log in as an account of the town."""
    page.goto("/login")
    page.fill("[name=name]", who)
    page.fill("[name=password]", town.PASSWORD)
    page.click("main button")
    page.wait_for_url(re.compile(r"^(?!.*/login)"))


def _only_here(route: Route, at: Site, watch: Watch) -> None:
    url = route.request.url
    if url.startswith(("data:", "blob:")) or urlsplit(url).netloc == urlsplit(at.url).netloc:
        route.continue_()
    else:
        watch.outside.append(url)
        route.abort()


def _listen(page: Page, watch: Watch) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not EXPECTED.search(message.text):
            watch.problems.append(f"console {message.type}: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= 400 and response.status not in watch.expected_status:
            watch.problems.append(f"{response.status} {response.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: watch.problems.append(f"script: {error}"))
    page.on("response", on_response)


def settle(page: Page) -> None:
    """Wait until the map has drawn what it fetched."""
    page.wait_for_load_state("networkidle")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def photograph(page: Page, name: str, *, whole: bool = True) -> Path:
    """Keep a picture of the page under tests/output, to be looked at."""
    settle(page)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    path = OUTPUT / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    return path
