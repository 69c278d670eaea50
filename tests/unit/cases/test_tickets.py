"""Rows of other offices' tables: words for states and categories, keys that keep rows apart."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc import catalog
from mapsvc.base import paths
from mapsvc.base.tables.columns import guess_places
from mapsvc.cases.rules.tickets import COLUMNS, CategoryMap, Status, import_key, read_status, row_hash


@lru_cache(maxsize=1)
def categories() -> catalog.Categories:
    return catalog.load_categories(paths.data_dir() / "categories.toml")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Completed", Status(True, "")),
        ("Completed - Dup", Status(True, "duplicate")),
        ("Open", Status(False, "")),
        ("Open - Dup", Status(False, "duplicate")),
        ("已办结", Status(True, "")),
        ("未办结", Status(False, "")),
        ("重复件", Status(False, "duplicate")),
        ("", Status(False, "")),
        ("incomplete", Status(False, "")),
    ],
)
def test_words_for_states(text: str, status: Status) -> None:
    assert read_status(text) == status


def test_words_for_categories() -> None:
    known = categories().get("E0110")
    mapped = CategoryMap("", {"Sanitation Code Violation": "E0110"})
    assert mapped.find("Sanitation Code Violation", categories()) == "E0110"
    assert mapped.find(" E0110 ", categories()) == "E0110"
    assert mapped.find(known.zh, categories()) == "E0110"
    assert mapped.find(known.en.upper(), categories()) == "E0110"
    assert mapped.find("something else", categories()) is None
    assert mapped.find("", categories()) is None
    assert CategoryMap("E0112").find("something else", categories()) == "E0112"


@given(st.lists(st.text()), st.lists(st.text()))
def test_rows_that_differ_have_different_hashes(one: list[str], other: list[str]) -> None:
    plain = [[text.replace("\x1f", "") for text in row] for row in (one, other)]
    assert (row_hash(plain[0]) == row_hash(plain[1])) == ("\x1f".join(plain[0]) == "\x1f".join(plain[1]))


def test_the_key_is_of_source_content_and_occurrence() -> None:
    keys = {import_key(source, hashed, turn) for source in "ab" for hashed in "xy" for turn in (1, 2)}
    assert len(keys) == 8


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["工单编号", "诉求类别", "诉求内容", "事发地址", "受理时间", "办结时间", "来电人", "来电号码"],
         ["source_number", "category", "description", "place", "received", "closed", "reporter", "phone"]),
        (["creation_date", "status", "completion_date", "service_request_number", "type_of_service_request",
          "latitude"],
         ["received", "status", "closed", "source_number", "category", "lat"]),
    ],
)  # fmt: skip
def test_columns_of_hotlines_and_cities_are_guessed(header: list[str], found: list[str]) -> None:
    places = guess_places(header, COLUMNS, {})
    assert [name for name, _ in sorted(places.items(), key=lambda item: item[1])] == found
