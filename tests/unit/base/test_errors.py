"""The one family of errors: codes that are stable, words for people, values for machines."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from mapsvc.base import errors
from mapsvc.base.errors import InvalidInput, MapsvcError, TooLarge
from mapsvc.base.paths import PACKAGE

FAMILY = {
    name: found for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, MapsvcError)
}


def test_every_error_belongs_to_the_family() -> None:
    assert len(FAMILY) > 8
    for name, found in FAMILY.items():
        assert found.__doc__, name
        assert found("a_code", "It happened.").code == "a_code"


def test_an_error_says_what_happened_and_what_to_do() -> None:
    error = InvalidInput("bad_date", "This is no day.", hint="Write 2026-03-01.", detail={"cell": "x"})
    assert str(error) == "This is no day. Write 2026-03-01."
    assert error.detail == {"cell": "x"}
    assert str(TooLarge("big", "Too big.")) == "Too big."


def test_the_detail_is_the_errors_own() -> None:
    detail = {"limit": 1}
    error = TooLarge("big", "Too big.", detail=detail)
    detail["limit"] = 2
    assert error.detail == {"limit": 1}


def raised_codes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in FAMILY
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]


@pytest.mark.parametrize("package", sorted(entry.name for entry in PACKAGE.iterdir() if entry.is_dir()))
def test_codes_are_lower_case_words(package: str) -> None:
    for path in (PACKAGE / package).rglob("*.py"):
        for code in raised_codes(path):
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code), f"{path.name}: {code}"
