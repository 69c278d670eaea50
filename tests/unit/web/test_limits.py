from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mapsvc.base.errors import TooManyRequests
from mapsvc.web import limits
from mapsvc.web.limits import AddressLimit

START = datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_an_address_has_its_share_and_others_theirs() -> None:
    limit = AddressLimit(3)
    for _ in range(3):
        limit.take("10.0.0.1", START)
    with pytest.raises(TooManyRequests) as caught:
        limit.take("10.0.0.1", START + timedelta(minutes=59))
    assert caught.value.detail["retry_after_s"] == 60
    limit.take("10.0.0.2", START)
    limit.take("10.0.0.1", START + timedelta(hours=1))


def test_the_window_slides() -> None:
    limit = AddressLimit(2)
    limit.take("a", START)
    limit.take("a", START + timedelta(minutes=30))
    with pytest.raises(TooManyRequests):
        limit.take("a", START + timedelta(minutes=45))
    limit.take("a", START + timedelta(minutes=61))
    with pytest.raises(TooManyRequests):
        limit.take("a", START + timedelta(minutes=62))


def test_what_was_only_sent_again_is_given_back() -> None:
    limit = AddressLimit(1)
    for _ in range(10):
        limit.take("a", START)
        limit.give_back("a")
    limit.give_back("never seen")
    limit.take("a", START)
    with pytest.raises(TooManyRequests):
        limit.take("a", START)


def test_workers_share_the_limit_rounded_up() -> None:
    assert AddressLimit(60, workers=4).limit == 15
    assert AddressLimit(5, workers=4).limit == 2
    assert AddressLimit(5, workers=0).limit == 5


def test_a_limit_of_nothing_refuses_everybody() -> None:
    with pytest.raises(TooManyRequests) as caught:
        AddressLimit(0).take("a", START)
    assert caught.value.detail["retry_after_s"] == 3600


def test_addresses_are_not_kept_in_clear_nor_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 3)
    limit = AddressLimit(5)
    for n in range(10):
        limit.take(f"10.0.0.{n}", START)
    assert len(limit._seen) == 3
    assert not any(b"10.0.0" in name for name in limit._seen)
    limit.take("late", START + timedelta(hours=2))
    assert len(limit._seen) == 1
