from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from flask import Flask, Response

from mapsvc.web.compress import shrink
from mapsvc.web.statics import ContentHashes
from tests.town import Town


def test_an_address_with_its_hash_is_kept_for_a_year(town: Town) -> None:
    with town.app.test_request_context():
        url = town.app.jinja_env.globals["static_url"]("css/base.css")
    kept = town.get(url)
    assert kept.status_code == 200
    assert kept.mimetype == "text/css"
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/css/base.css", "/static/css/base.css?v=0000000000"):
        plain = town.get(other)
        assert plain.headers["Cache-Control"] == "public, no-cache"
        again = town.client().get(other, headers={"If-None-Match": plain.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "%2e%2e/%2e%2e/etc/passwd", "css", "", "css/", "nothing.css", "css/%00"]
)
def test_nothing_else_is_served(town: Town, path: str) -> None:
    assert town.get(f"/static/{path}").status_code == 404


def test_a_changed_file_has_another_hash(tmp_path: Path) -> None:
    hashes = ContentHashes(tmp_path)
    (tmp_path / "a.js").write_text("1")
    first = hashes.find("a.js")
    assert len(first) == 10
    assert hashes.find("a.js") == first
    (tmp_path / "a.js").write_text("22")
    assert hashes.find("a.js") not in ("", first)
    assert hashes.find("../a.js") == hashes.find("b.js") == ""


def _answer(size: int, content_type: str, status: int = 200) -> Response:
    return Response(b"x" * size, status, content_type=content_type)


@pytest.mark.parametrize(
    ("answer", "shrinks"),
    [
        (_answer(5000, "application/json"), True),
        (_answer(5000, "application/geo+json"), True),
        (_answer(5000, "text/css; charset=utf-8"), True),
        (_answer(512, "application/json"), True),
        (_answer(511, "application/json"), False),
        (_answer(5000, "text/html"), False),
        (_answer(5000, "image/jpeg"), False),
        (_answer(5000, "application/octet-stream"), False),
        (_answer(5000, "application/json", 404), False),
    ],
)
def test_data_is_shrunk_and_pages_are_not(answer: Response, shrinks: bool) -> None:
    app = Flask("x", static_folder=None)
    size = len(answer.data)
    with app.test_request_context(headers={"Accept-Encoding": "gzip, br"}):
        shrunk = shrink(answer)
    assert ("Content-Encoding" in shrunk.headers) is shrinks
    if shrinks:
        assert gzip.decompress(shrunk.data) == b"x" * size
        assert int(shrunk.headers["Content-Length"]) == len(shrunk.data)
        assert "Accept-Encoding" in shrunk.headers["Vary"]


def test_who_takes_no_gzip_gets_none_and_caches_know() -> None:
    app = Flask("x", static_folder=None)
    for accepted in ("identity", "gzip;q=0", ""):
        with app.test_request_context(headers={"Accept-Encoding": accepted}):
            plain = shrink(_answer(5000, "application/json"))
        assert "Content-Encoding" not in plain.headers
        assert "Accept-Encoding" in plain.headers["Vary"]


def test_the_tag_of_what_was_shrunk_is_weak(town: Town) -> None:
    answer = town.client().get("/api/v1/categories", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["ETag"].startswith("W/")
    again = town.client().get("/api/v1/categories", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert gzip.decompress(answer.data).startswith(b'{"edition"')
