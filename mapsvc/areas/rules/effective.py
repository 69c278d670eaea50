"""From when a generation is in force: dates never lie in the past and never run backwards."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from mapsvc.base.errors import Conflict, InvalidInput


def decide_effective_from(
    wanted: date | None,
    now: datetime,
    zone: ZoneInfo,
    *,
    first: bool,
    latest: datetime | None,
) -> datetime | None:
    """Return the moment from which new borders are in force; None means from always.

    `first` is a level's first import, which is valid from always. Else a date means its local
    midnight, and today or no date means now. `latest` is the latest effective moment of the
    generations of this level that are published already.
    """
    today = now.astimezone(zone).date()
    if wanted is not None and wanted < today:
        raise InvalidInput(
            "date_in_past",
            f"Borders cannot begin on {wanted.isoformat()}: that day is past.",
            hint=f"Today is {today.isoformat()}; leave --from out to begin now.",
        )
    if first:
        if wanted is not None and wanted > today:
            raise InvalidInput(
                "first_import_is_always",
                "The first borders of a level are valid from always, so that earlier cases find their area.",
                hint="Leave --from out.",
            )
        return None
    moment = now if wanted is None or wanted == today else datetime.combine(wanted, time(), tzinfo=zone)
    moment = moment.astimezone(now.tzinfo)
    if latest is not None and moment < latest:
        raise Conflict(
            "date_runs_backwards",
            f"Borders of this level are published already for {latest.astimezone(zone).date().isoformat()}.",
            hint="Name that day or a later one by --from.",
            detail={"latest": latest.isoformat()},
        )
    return moment
