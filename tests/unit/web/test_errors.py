from __future__ import annotations

import errno
import logging
import re

import pytest
from werkzeug.exceptions import ImATeapot, NotFound

from mapsvc.base import errors
from mapsvc.web.errors import HTTP_ERRORS, PROBLEM_TYPE, STATUS, problem_of
from mapsvc.web.guard import permission
from tests.town import Town

NUMBER = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f-]{27}")


def _family(of: type) -> set[type]:
    return {one for sub in of.__subclasses__() for one in {sub, *_family(sub)}}


def test_the_table_holds_the_whole_family_of_errors() -> None:
    ours = {one for one in _family(errors.MapsvcError) if one.__module__ == errors.__name__}
    assert ours == set(STATUS)


@pytest.mark.parametrize(("kind", "status"), [(k, s) for k, s in STATUS.items() if s < 500])
def test_each_class_has_its_status_and_keeps_its_words(kind: type[errors.MapsvcError], status: int) -> None:
    found = problem_of(kind("some_code", "What happened.", hint="What to do.", detail={"limit": 3}))
    assert (found.status, found.code, found.detail, found.hint) == (
        status,
        "some_code",
        "What happened.",
        "What to do.",
    )
    assert found.values == {"limit": 3}
    assert NUMBER.fullmatch(found.instance)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("SELECT password FROM user_account"),
        KeyError("/srv/secret/path"),
        errors.Misconfigured("bad_file", "/srv/secret/path line 3 is wrong."),
        errors.MapsvcError("base", "The base class itself is in no table."),
    ],
)
def test_the_unforeseen_tells_a_number_only(error: Exception) -> None:
    found = problem_of(error)
    assert (found.status, found.code, found.values) == (500, "internal_error", {})
    told = f"{found.detail} {found.hint}"
    assert "SELECT" not in told
    assert "/srv" not in told


def test_the_store_tells_the_log_where_it_lies_and_nobody_else() -> None:
    found = problem_of(errors.Unavailable("store_gone", "The store /srv/x.db is gone.", hint="Check /srv."))
    assert (found.status, found.code) == (503, "store_gone")
    assert "/srv" not in found.detail + found.hint
    full = problem_of(OSError(errno.ENOSPC, "No space left on device", "/srv/photos/x"))
    assert (full.status, full.code) == (503, "disk_full")
    assert problem_of(OSError(errno.EACCES, "Permission denied")).status == 500


def test_what_werkzeug_raises_has_the_same_shape() -> None:
    assert problem_of(NotFound()).code == "not_found"
    assert problem_of(ImATeapot()).code == "http_418"
    for status, (code, what, _hint) in HTTP_ERRORS.items():
        assert 400 <= status < 500
        assert re.fullmatch(r"[a-z_]+", code)
        assert what.endswith(".")


@pytest.fixture
def broken(town: Town) -> Town:
    @town.app.get("/api/broken")
    @permission("public")
    def broken() -> str:
        raise RuntimeError("secret words")

    @town.app.get("/broken-page")
    @permission("public")
    def broken_page() -> str:
        raise errors.Conflict("somebody_was_first", "Somebody <b>was</b> first.", hint="Load it again.")

    @town.app.get("/api/slow")
    @permission("public")
    def slow() -> str:
        raise errors.TooManyRequests("slow_down", "Slow down.", detail={"retry_after_s": 77})

    return town


def test_the_number_stands_in_the_log_beside_what_happened(broken: Town, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="mapsvc.web"):
        answer = broken.get("/api/broken")
    assert answer.status_code == 500
    assert answer.content_type == PROBLEM_TYPE
    assert b"secret words" not in answer.data
    assert answer.json["instance"] in caplog.text
    assert "secret words" in caplog.text


def test_a_person_gets_a_page_and_a_program_json(broken: Town) -> None:
    page = broken.client().get("/broken-page", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 409
    assert page.mimetype == "text/html"
    assert b"<b>was</b>" not in page.data
    assert b"nonce-" in page.headers["Content-Security-Policy"].encode()
    assert broken.client().get("/broken-page").content_type == PROBLEM_TYPE
    api = broken.client().get("/api/broken", headers={"Accept": "text/html"})
    assert api.content_type == PROBLEM_TYPE


def test_a_page_that_fails_still_says_what_happened(broken: Town, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object, **__: object) -> str:
        raise ZeroDivisionError

    broken.app.jinja_env.get_template = fail  # type: ignore[method-assign]
    broken.app.jinja_env.get_or_select_template = fail  # type: ignore[method-assign]
    page = broken.client().get("/broken-page", headers={"Accept": "text/html"})
    assert page.status_code == 409
    assert b"Somebody &lt;b&gt;was&lt;/b&gt; first." in page.data
    assert "the error page failed" in caplog.text


def test_405_names_the_methods_and_429_the_wait(broken: Town) -> None:
    answer = broken.client().delete("/api/v1/locate")
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))
    assert broken.get("/api/slow").headers["Retry-After"] == "77"


def test_no_line_of_the_log_can_be_forged_by_an_address(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mapsvc.web"):
        town.get("/api/x%0aforged%20line")
    assert "\nforged" not in caplog.text
