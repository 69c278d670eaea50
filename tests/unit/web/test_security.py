from __future__ import annotations

import re

import pytest

from mapsvc.web.security import page_policy
from tests.town import Town


def _directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split("; ")}


def test_the_policy_of_a_page_names_no_outside_host() -> None:
    found = _directives(page_policy("abc"))
    assert found["default-src"] == ["'self'"]
    assert found["script-src"] == ["'self'", "'nonce-abc'"]
    assert found["img-src"] == ["'self'", "data:", "blob:"]
    for name in ("object-src", "base-uri", "frame-ancestors"):
        assert found[name] == ["'none'"]
    assert "unsafe" not in page_policy("abc")
    assert "http" not in page_policy("abc")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://tiles.example/{z}/{x}/{y}.png", ["https://tiles.example"]),
        ("https://{s}.tiles.example:8443/{z}/{x}/{y}", ["https://*.tiles.example:8443"]),
        ("https://t{s}.tiles.example/DataServer?T=vec_w&x={x}&y={y}&l={z}", ["https://*.tiles.example"]),
        ("/tiles/own/{z}/{x}/{y}.png", []),
        ("javascript:alert(1)", []),
        ("not an address", []),
    ],
)
def test_a_tile_service_that_is_set_may_give_pictures_and_nothing_else(url: str, host: list[str]) -> None:
    found = _directives(page_policy("abc", url))
    assert found["img-src"][3:] == host
    assert found["script-src"] == ["'self'", "'nonce-abc'"]
    assert found["connect-src"] == ["'self'"]


def test_an_archive_of_tiles_may_be_read_from_its_host_and_gives_no_script() -> None:
    found = _directives(page_policy("abc", "https://maps.example/town.pmtiles"))
    assert found["connect-src"] == ["'self'", "https://maps.example"]
    assert found["img-src"] == ["'self'", "data:", "blob:"]
    assert found["script-src"] == ["'self'", "'nonce-abc'"]


def test_data_may_not_run_anything_and_nothing_is_kept_by_default(town: Town) -> None:
    answer = town.get("/api/v1/locate?lon=123&lat=41.8")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers


def test_every_page_has_a_nonce_of_its_own(town: Town) -> None:
    html = {"Accept": "text/html"}
    policies = [town.client().get("/nowhere", headers=html).headers["Content-Security-Policy"] for _ in range(5)]
    nonces = {re.search(r"'nonce-([\w-]{20,})'", policy).group(1) for policy in policies}  # type: ignore[union-attr]
    assert len(nonces) == 5
