"""The rates of one area, as its page and its card show them: by name, with n and interval, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from mapsvc.areas.rules.located import AreaAt
from mapsvc.insight.queries.area import area_figures, sees_whole
from mapsvc.people.rules.permissions import allows
from mapsvc.web.pages.figures import back_url, read_asked
from mapsvc.web.pages.frame import speech
from mapsvc.web.parts import actor, parts, snapshot
from mapsvc.web.present.insight import Links, RateText, rate_text

WINDOW = "28d"
"""A month that has just begun has no figures yet."""


@dataclass(frozen=True)
class AreaRates:
    """The rates of a window, their figures, and the briefing of the month; no address of it for who may not print."""

    window: str
    rates: tuple[RateText, ...]
    insight_url: str
    briefing_url: str


def rates_of(area: AreaAt) -> AreaRates | None:
    """Return the rates of an area over the last weeks; None for who may not see figures, or not the whole area's."""
    if not allows(actor(), "insight.view"):
        return None
    where = {"area": f"{area.level}:{area.code}", "level": area.level}
    asked = read_asked({**where, "window": WINDOW})
    question = asked.question()
    found = area_figures(parts().columns.current(), actor(), snapshot(), question)
    if not found:
        return None
    links = Links(url_for("pages.case_list"), asked.kept, int(question.as_of.timestamp()))
    prints = allows(actor(), "insight.export") and sees_whole(actor(), snapshot(), area.area_id, "insight.export")
    return AreaRates(
        window=speech().t(f"insight.last_{WINDOW}"),
        rates=tuple(rate_text(speech(), rate, links) for rate in found),
        insight_url=back_url(asked),
        briefing_url=f"{back_url(read_asked(where))}#briefing" if prints else "",
    )
