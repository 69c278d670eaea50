from __future__ import annotations

import re

import pytest

from mapsvc.storage.engine import store_file
from mapsvc.web.meter import BUCKETS_S, Meter
from tests.town import Town


def test_it_lives_and_can_serve(town: Town) -> None:
    assert town.get("/healthz").json == {"status": "ok"}
    ready = town.get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "ready", "store": True, "borders": True})


def test_without_its_store_it_lives_and_cannot_serve(town: Town) -> None:
    store_file(town.store.engine).rename(town.settings.data_dir / "away.db")
    assert town.get("/healthz").status_code == 200
    ready = town.get("/readyz")
    assert (ready.status_code, ready.json["store"]) == (503, False)
    asked = town.get("/api/v1/cases", "duty_officer")
    assert (asked.status_code, asked.json["code"]) == (503, "store_gone")
    assert asked.headers["Retry-After"]
    assert str(town.settings.data_dir) not in asked.text
    assert town.report()[1].status_code == 503


def test_metrics_are_read_on_the_machine_itself_or_by_an_administrator(town: Town) -> None:
    town.get("/healthz")
    local = town.get("/metrics")
    assert local.status_code == 200
    assert re.search(
        r'mapsvc_requests_total\{process="\d+",route="health.healthz",method="GET",status="200"\} 1', local.text
    )
    outside = {"REMOTE_ADDR": "10.1.2.3"}
    assert town.client().get("/metrics", environ_overrides=outside).status_code == 403
    assert town.client().get("/metrics", environ_overrides=outside, headers=town.headers("admin")).status_code == 200
    assert town.client().get("/metrics", environ_overrides=outside, headers=town.headers("leader")).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_what_came_through_a_proxy_is_not_this_machine(town: Town, header: str) -> None:
    assert town.client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_a_histogram_adds_up() -> None:
    meter = Meter()
    for seconds in (0.0001, 0.001, 0.2, 99.0):
        meter.note("a.b", "GET", 200, seconds)
    lines = meter.lines()
    buckets = [int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("mapsvc_request_seconds_bucket")]
    assert len(buckets) == len(BUCKETS_S) + 1
    assert buckets == sorted(buckets)
    assert (buckets[0], buckets[-1]) == (2, 4)
    assert any(line.startswith("mapsvc_request_seconds_count") and line.endswith(" 4") for line in lines)
    total = next(line for line in lines if line.startswith("mapsvc_request_seconds_sum"))
    assert float(total.rsplit(" ", 1)[1]) == pytest.approx(99.2011)


def test_a_method_that_nobody_knows_makes_no_new_label(town: Town) -> None:
    for method in ("BREW", "X" * 500):
        town.client().open("/healthz", method=method)
    told = town.get("/metrics").text
    assert 'method="OTHER"' in told
    assert "BREW" not in told
