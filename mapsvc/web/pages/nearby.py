"""我也遇到: open cases of the same kind close by are offered before a report is sent, and joined by a signed offer.

The public learns the kind, a rounded distance and the day, of at most three cases within a stone's throw; no number,
no words, no person. What is handed back to join is signed and ends after a while, so that nobody joins what was not
offered to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import render_template, request
from itsdangerous import BadData, URLSafeTimedSerializer

from mapsvc.base.errors import InvalidInput
from mapsvc.base.settings import secret_key
from mapsvc.cases.queries.nearby import list_nearby
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.forms import read_degrees
from mapsvc.web.pages.frame import speech
from mapsvc.web.parts import local_day, now, parts, today
from mapsvc.web.present.speech import Speech

OFFER_ENDS_S = 2 * 3600
NEVER_ALIKE = frozenset({"other"})
"""Behind this tile lies whatever has no tile: two of it are not the same kind."""


@dataclass(frozen=True)
class Offer:
    """One case that may be joined, as it is told: 暴露垃圾, 约 40 米, 昨天."""

    token: str
    category: str
    metres: int
    day: str


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key(parts().settings), salt="nearby")


def read_offer(token: str) -> int:
    """Return the case that was offered; a token that is not ours, or too old, raises `InvalidInput`."""
    try:
        found = _signer().loads(token, max_age=OFFER_ENDS_S)
    except BadData as error:
        raise InvalidInput("offer_ended", "This offer has ended.", hint="Mark the place once more.") from error
    return int(found)


@pages.get("/report/nearby")
@permission("public.report")
def report_nearby() -> str:
    """Return open cases of the same kind close by; a piece of the form's page."""
    lon, lat = read_degrees(request.args.get("lon", "")), read_degrees(request.args.get("lat", ""))
    tile = request.args.get("tile", "")
    categories = () if tile in NEVER_ALIKE else tuple(one.code for one in parts().categories.of_tile(tile))
    if lon is None or lat is None or not categories:
        return render_template("pieces/nearby.html", offers=())
    parts().public_looks.take(request.remote_addr or "", now())
    with parts().store.read() as work:
        found = list_nearby(work, lon, lat, categories)
    signer, say = _signer(), speech()
    offers = tuple(
        Offer(
            signer.dumps(one.case_id),
            say.category_name(one.category),
            round_m(one.distance_m),
            _day_words(say, one.received_at),
        )
        for one in found
    )
    return render_template("pieces/nearby.html", offers=offers)


def round_m(metres: float) -> int:
    """Return a distance in steps of ten metres, at least ten: nearer than that no phone knows."""
    return max(10, round(metres / 10) * 10)


def _day_words(say: Speech, moment: datetime) -> str:
    """Return 今天, 昨天, else the day."""
    if local_day(moment) == today():
        return say.t("nearby.today")
    if local_day(moment) == today() - timedelta(days=1):
        return say.t("nearby.yesterday")
    return say.times.day(moment)
