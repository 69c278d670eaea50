"""Numbers and follow codes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.cases.rules.codes import (
    ALPHABET,
    RANDOM_BYTES,
    case_number,
    import_number,
    make_track_code,
    read_track_code,
    show_track_code,
)

randoms = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(randoms)
def test_a_code_is_read_back_however_it_is_typed(random: bytes) -> None:
    code = make_track_code(random)
    assert len(code) == 12
    assert set(code) <= set(ALPHABET)
    typed = show_track_code(code).lower().replace("0", "o").replace("1", "l")
    assert read_track_code(f" {typed} ") == code


@given(randoms, st.integers(0, 11), st.integers(1, 31))
def test_one_wrong_character_is_noticed(random: bytes, place: int, shift: int) -> None:
    code = make_track_code(random)
    wrong = ALPHABET[(ALPHABET.index(code[place]) + shift) % 32]
    assert read_track_code(code[:place] + wrong + code[place + 1 :]) is None


def test_codes_use_all_their_randomness() -> None:
    codes = {make_track_code(number.to_bytes(RANDOM_BYTES, "big")) for number in range(5000)}
    assert len(codes) == 5000


@pytest.mark.parametrize("text", ["", "0" * 11, "0" * 13, "?" * 12, "一二三四五六七八九十一二"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert read_track_code(text) is None


def test_numbers_of_cases() -> None:
    assert case_number(date(2026, 3, 1), 42) == "20260301-000042"
    assert import_number(date(2026, 3, 1), 7, 42) == "20260301-R7-000042"
