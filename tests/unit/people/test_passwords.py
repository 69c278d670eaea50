"""Passwords: the policy, the hash, the growing wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from mapsvc.base.errors import InvalidInput
from mapsvc.people.rules.passwords import (
    FREE_FAILURES,
    LONGEST_WAIT,
    check_password,
    hash_password,
    renew_hash,
    verify_password,
    wait_after,
)

GOOD = "three brown foxes"


@pytest.mark.parametrize("password", [GOOD, "正确的马电池订书钉啊啊", "tr0ub4dor&3-x", "a1B2c3D4e5", "myadminrights"])
def test_good_passwords(password: str) -> None:
    check_password("zhangmin", password)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "password_too_short"),
        ("ninechars", "password_too_short"),
        ("x" * 201, "password_too_long"),
        ("aaaaaaaaaaaa", "password_common"),
        ("1234567890", "password_common"),
        ("abcdefghij", "password_common"),
        ("Password123!", "password_common"),
        ("qwertyuiop", "password_common"),
        ("zhangmin2026", "password_common"),
        ("ZhangMin!!!!", "password_common"),
    ],
)
def test_passwords_that_are_guessed_first(password: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        hash_password("zhangmin", password)
    assert caught.value.code == code
    assert password not in caught.value.message or not password


def test_a_hash_fits_its_password_only() -> None:
    kept = hash_password("n", GOOD)
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept
    assert kept != hash_password("n", GOOD)
    assert verify_password(kept, GOOD)
    assert not verify_password(kept, GOOD + " ")
    assert not verify_password(kept, "")
    assert not verify_password(kept, "x" * 1_000_000)


def test_one_password_typed_on_two_keyboards_is_one() -> None:
    assert verify_password(hash_password("n", "caf\u00e9 au lait"), "cafe\u0301 au lait")


@pytest.mark.parametrize("kept", [None, "", "no hash", "$argon2id$v=19$broken"])
def test_nothing_fits_what_is_no_hash(kept: str | None) -> None:
    assert not verify_password(kept, "nobody has this password")


def test_only_a_weaker_hash_is_renewed() -> None:
    kept = hash_password("n", GOOD)
    assert renew_hash(kept, GOOD) is None
    weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(GOOD)
    renewed = renew_hash(weak, GOOD)
    assert renewed is not None
    assert verify_password(renewed, GOOD)
    assert renew_hash(renewed, GOOD) is None


def test_the_wait_doubles_and_ends_growing() -> None:
    assert [wait_after(n).total_seconds() for n in range(FREE_FAILURES + 3)] == [0, 0, 0, 0, 0, 15, 30, 60]


@given(st.integers(0, 10_000))
def test_the_wait_never_shrinks(failures: int) -> None:
    assert timedelta(0) <= wait_after(failures) <= wait_after(failures + 1) <= LONGEST_WAIT
