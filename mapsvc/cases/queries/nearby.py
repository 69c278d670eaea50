"""Open cases of the same kind close by, told to somebody who is about to report one: nothing of persons or words."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import timedelta

import numpy as np
from sqlalchemy import select

from mapsvc.cases.models import Case
from mapsvc.cases.queries.scope import is_open, published
from mapsvc.cases.queries.views import NearbyCase
from mapsvc.geo.measure import distance_m
from mapsvc.storage.boxes import Box, cases_in_box
from mapsvc.storage.work import Work

NEARBY_M = 60.0
"""Two reports of one heap of rubbish lie within this: two phones, each some 12 m off, across a wide road."""

NEARBY_FOR = timedelta(days=30)
MOST_NEARBY = 3
ROUGH_DIGITS = 4
"""Distances are told from the place of a case rounded to so many decimals of a degree, as everything that the public
learns of places: whoever asks from many points finds out that place and no better one."""

_MOST_READ = 200
_DEGREE_M = 111_000.0


def list_nearby(work: Work, lon: float, lat: float, categories: Collection[str]) -> tuple[NearbyCase, ...]:
    """Return at most `MOST_NEARBY` open cases of these categories around a WGS 84 point, the nearest first; one query.

    A case is near, and its distance in metres told, by its place rounded to `ROUGH_DIGITS`. Left out: imported history,
    what was merged, what came in more than `NEARBY_FOR` ago.
    """
    if not categories or abs(lat) > 89:
        return ()
    high = NEARBY_M / _DEGREE_M + 10**-ROUGH_DIGITS
    wide = high / math.cos(math.radians(lat))
    rows = work.session.execute(
        select(Case.id, Case.category, Case.lon, Case.lat, Case.received_at)
        .where(
            Case.id.in_(cases_in_box(work, Box(lon - wide, lat - high, lon + wide, lat + high))),
            Case.lon.between(lon - wide, lon + wide),
            Case.lat.between(lat - high, lat + high),
            Case.category.in_(sorted(categories)),
            Case.received_at >= work.now - NEARBY_FOR,
            Case.historic.is_(False),
            is_open(),
            published(),
        )
        .order_by(Case.received_at.desc())
        .limit(_MOST_READ)
    ).all()
    if not rows:
        return ()
    places = np.round([(row.lon, row.lat) for row in rows], ROUGH_DIGITS)
    far = distance_m(lon, lat, places[:, 0], places[:, 1])
    found = [
        NearbyCase(row.id, row.category, float(metres), row.received_at)
        for row, metres in zip(rows, far, strict=True)
        if metres <= NEARBY_M
    ]
    return tuple(sorted(found, key=lambda one: (one.distance_m, one.case_id))[:MOST_NEARBY])
