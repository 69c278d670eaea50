"""A demo says on every page that its town is invented: the caption of the settings stands on all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.contract.routes import all_routes, ask
from tests.town import Town

CAPTION = "虚构城区示意图"
HTML = {"Accept": "text/html,*/*;q=0.8"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_public_page_bears_the_caption(make_town: Callable[..., Town], language: str) -> None:
    town = make_town(caption=CAPTION)
    seen = set()
    for route in all_routes(town.app):
        if route.method != "GET":
            continue
        answer = ask(town.app, route, headers=HTML, query_string={"lang": language})
        body = answer.get_data(as_text=True)
        if answer.mimetype == "text/html" and "<body" in body:  # not the pieces that a page fetches for itself
            assert CAPTION in body, route.path
            seen.add(route.path)
    assert {"/", "/report", "/track", "/login", "/device", "/guide"} <= {path.rstrip("/") or "/" for path in seen}


def test_without_a_setting_there_is_none(make_town: Callable[..., Town]) -> None:
    town = make_town()
    assert CAPTION not in town.app.test_client().get("/login").get_data(as_text=True)
