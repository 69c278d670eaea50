"""Print the briefing of an area: permission, figures (frozen where the month is over), the form that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from mapsvc.areas.index import Snapshot
from mapsvc.base.errors import InvalidInput
from mapsvc.base.settings import Settings
from mapsvc.cases.rules.rulebook import Rulebook
from mapsvc.insight.queries.figures import Figures
from mapsvc.insight.rules.windows import Window
from mapsvc.insight.service.briefing.content import case_table, gather
from mapsvc.insight.service.briefing.excel import write_xlsx
from mapsvc.insight.service.briefing.fonts import find_font
from mapsvc.insight.service.briefing.picture import draw_page
from mapsvc.insight.service.briefing.word import write_docx
from mapsvc.insight.service.months import freeze_month
from mapsvc.storage.work import Work

FORMS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "png": "image/png",
}


@dataclass(frozen=True)
class Printed:
    """A briefing as a file: its name, its type, its bytes."""

    name: str
    content_type: str
    content: bytes


def print_briefing(
    work: Work, settings: Settings, book: Rulebook, snapshot: Snapshot, figures: Figures, window: Window, form: str
) -> Printed:
    """Return the briefing of a question in a form (`docx`, `xlsx`, `png`) for the actor of the figures.

    The first print of a month that is over fixes its figures. Needs a transaction that writes. Raises `Misconfigured`
    where a picture is to be drawn and no font has Chinese.
    """
    if form not in FORMS:
        raise InvalidInput("unknown_form", f"A briefing has no form {form[:20]!r}.", hint=f"Use {', '.join(FORMS)}.")
    font = find_font(settings.font_file) if form != "xlsx" else None
    frozen = freeze_month(work, figures.actor, snapshot, figures, window)
    briefing = gather(work, settings, book, snapshot, figures, window, frozen)
    if form == "docx":
        assert font is not None
        content = write_docx(briefing, font)
    elif form == "png":
        assert font is not None
        content = draw_page(briefing, font)
    else:
        content = write_xlsx(briefing, case_table(work, figures.actor, figures), book, settings.timezone)
    return Printed(f"{briefing.title}.{form}", FORMS[form], content)
