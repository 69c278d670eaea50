"""Reading forms and addresses; where a log-in may lead; states of lists in the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.counters import Bounds
from mapsvc.web.pages.account import safe_next
from mapsvc.web.pages.forms import form_hash, read_day, read_degrees, read_id, read_ids, read_uuid
from mapsvc.web.pages.handbook import render_markdown
from mapsvc.web.present.worklist import Asked


@pytest.mark.parametrize("text", ["/patch/P07", "/cases?state=assigned&area=patch:P07", "/"])
def test_a_log_in_leads_to_our_own_pages(text: str) -> None:
    assert safe_next(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "",
        "cases",
        "/a\nb",
    ],
)
def test_a_log_in_never_leads_out(text: str) -> None:
    assert safe_next(text) == ""


@given(st.text())
def test_whatever_is_asked_for_the_way_begins_with_one_slash(text: str) -> None:
    found = safe_next(text)
    assert found == "" or (found.startswith("/") and not found.startswith(("//", "/\\")))


def test_numbers_are_read_or_refused() -> None:
    assert read_id("") is None
    assert read_id("42") == 42
    assert read_ids("1,2,,3", 3) == (1, 2, 3)
    for wrong in ("-1", "1.5", "x", "９", "9" * 19, str(2**31)):
        with pytest.raises(InvalidInput):
            read_id(wrong)
    with pytest.raises(InvalidInput, match="At most 2"):
        read_ids("1,2,3", 2)


def test_degrees_are_finite_or_refused() -> None:
    assert read_degrees(" ") is None
    assert read_degrees("121.5") == 121.5
    for wrong in ("nan", "inf", "-Infinity", "abc", "1,2"):
        with pytest.raises(InvalidInput):
            read_degrees(wrong)


def test_days_begin_at_eight_where_the_district_lies() -> None:
    assert read_day("2026-11-24", ZoneInfo("Asia/Shanghai")) == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert read_day("", ZoneInfo("Asia/Shanghai")) is None
    with pytest.raises(InvalidInput):
        read_day("24.11.2026", ZoneInfo("Asia/Shanghai"))


def test_uuids_are_read_or_refused() -> None:
    with pytest.raises(InvalidInput):
        read_uuid("not-one")


def hash_of(form: Mapping[str, str], *more: str) -> str:
    with Flask("test").test_request_context("/", method="POST", data=dict(form)):
        return form_hash(("csrf_token",), *more)


def test_the_same_form_has_the_same_hash_whatever_the_order_and_the_token() -> None:
    assert hash_of({"a": "1", "b": "2", "csrf_token": "x"}) == hash_of({"b": "2", "a": "1", "csrf_token": "y"})
    assert hash_of({"a": "1"}) != hash_of({"a": "2"})
    assert hash_of({"a": "1"}, "photo") != hash_of({"a": "1"})
    assert hash_of({"a": "1b", "c": ""}) != hash_of({"a": "1", "bc": ""})


MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
SOON = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DAY = Bounds(datetime(2026, 11, 21, 16, 0, tzinfo=UTC), MIDNIGHT, SOON)


def test_a_list_holds_open_cases_unless_something_else_is_asked() -> None:
    assert Asked.read({}).filters(DAY).open_only
    assert not Asked.read({"state": "closed"}).filters(DAY).open_only
    assert not Asked.read({"text": "井盖"}).filters(DAY).open_only


def test_flags_of_the_address_become_filters() -> None:
    found = Asked.read({"overdue": "1", "edge": "1", "due_today": "1", "category": "E01"}).filters(DAY)
    assert (found.overdue, found.edge, found.due_before, found.category) == (True, True, MIDNIGHT, "E01")
    assert Asked.read({"due_soon": "1"}).filters(DAY).due_before == SOON


def test_what_an_old_link_does_not_know_is_dropped() -> None:
    assert Asked.read({"state": "nonsense", "sort": "beauty", "colour": "red"}).values == {}


def test_the_address_of_a_list_is_read_back_as_it_was_written() -> None:
    asked = Asked.read({"area": "patch:P07", "state": "assigned", "text": "a&b=c"})
    assert asked.url("/cases", text="") == "/cases?state=assigned&area=patch:P07"
    assert "a%26b%3Dc" in asked.url("/cases").replace("%3d", "%3D") or "a%26b=c" in asked.url("/cases")


def test_markdown_of_the_guide_runs_nothing_and_links_its_pages() -> None:
    html = render_markdown("# A\n<script>alert(1)</script>\n\n[cases](cases.md#states) | [x](javascript:alert(1))\n")
    assert "<script>" not in html
    assert 'href="/guide/cases#states"' in html
    assert "javascript:" not in html.replace("x](javascript:alert(1))", "")
