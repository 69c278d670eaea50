"""The filters that case tiles and heat tiles take in their address."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from mapsvc.base.errors import InvalidInput
from mapsvc.cases.queries.columns.masks import CaseFilter
from mapsvc.cases.rules.values import CHANNELS, STATES
from mapsvc.web.requests import Query, Text
from mapsvc.web.values import moment_of


class CaseQuery(Query):
    """Which cases; what is left out narrows nothing."""

    category: Annotated[Text, Field(description="A category, or the beginning of its code.", max_length=40)] = ""
    channel: Annotated[Text, Field(description="Channels, with commas.", max_length=100)] = ""
    from_: Annotated[date | None, Field(alias="from", description="First day of intake.")] = None
    to: Annotated[date | None, Field(description="Last day of intake.")] = None
    area_id: Annotated[int | None, Field(description="An area, of whatever level.", ge=1, lt=2**31)] = None


def case_filter(
    query: CaseQuery,
    *,
    state: str = "",
    open_only: bool = False,
    overdue: bool = False,
    include_historic: bool = False,
) -> CaseFilter:
    """Return the filter that a query means; a day counts to its end where the district lies."""
    if query.from_ and query.to and query.from_ > query.to:
        raise InvalidInput("bad_window", "The first day lies behind the last one.", hint="Exchange `from` and `to`.")
    return CaseFilter(
        received_from=moment_of(query.from_) if query.from_ else None,
        received_to=_end_of(query.to) if query.to else None,
        category=query.category,
        channels=_known(query.channel, CHANNELS, "channel"),
        states=_known(state, STATES, "state"),
        area_id=query.area_id,
        open_only=open_only,
        overdue=overdue,
        include_historic=include_historic,
    )


def _end_of(day: date) -> datetime:
    """Return the moment at which a day ends where the district lies."""
    moment_of(day)  # refuses days that have no next one
    return moment_of(day + timedelta(days=1))


def _known(text: str, values: tuple[str, ...], what: str) -> tuple[str, ...]:
    named = tuple(sorted({name for name in text.split(",") if name}))
    for name in named:
        if name not in values:
            raise InvalidInput(
                f"unknown_{what}", f"There is no {what} {name[:40]!r}.", hint=f"There are {', '.join(values)}."
            )
    return named
