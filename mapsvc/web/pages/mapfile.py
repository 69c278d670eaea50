"""`/maps/export`: a map as one file that opens without a network, with what the asker may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, render_template, request

from mapsvc.base.errors import NotFound
from mapsvc.cases.rules.cuts import light_of
from mapsvc.insight.rules.windows import SPANS, months_up_to, read_window
from mapsvc.maps.plans import Audience
from mapsvc.people.rules.permissions import allows
from mapsvc.storage.work import Work
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.cases import area_options
from mapsvc.web.pages.figures import find_area, this_second
from mapsvc.web.pages.frame import speech
from mapsvc.web.parts import actor, now, parts, snapshot
from mapsvc.web.present.insight import window_name
from mapsvc.web.present.mapfile.asked import BORDERS, NEEDS, THEMES, MapFileAsked, MapFileSource, find_theme
from mapsvc.web.present.mapfile.file import make_map_file
from mapsvc.web.present.mapfile.themes import theme_title
from mapsvc.web.present.worklist import Option

MONTHS = 12
STAFF, PUBLIC = "staff", "public"


@dataclass(frozen=True)
class ExportPage:
    """The selectors of the page. `public`: whether borders may be published at all."""

    themes: tuple[Option, ...]
    levels: tuple[Option, ...]
    windows: tuple[Option, ...]
    areas: tuple[Option, ...]
    public: bool
    staff: bool


@pages.get("/maps/export")
@permission("map.export")
def map_export() -> str:
    """Show what may be exported; what the address names is chosen."""
    return render_template("map_export.html", page=_page(request.args))


@pages.get("/maps/export/file")
@permission("map.export")
def map_file() -> Response:
    """Return the file."""
    args, found = request.args, parts()
    area = find_area(args.get("area", ""))
    if args.get("area") and area is None:
        raise NotFound("unknown_area", "There is no such area, or it is not yours.", hint="Choose another.")
    asked = MapFileAsked(
        window=read_window(args.get("window", ""), now(), found.settings.timezone),
        level=args.get("level", ""),
        theme=find_theme(args.get("theme", "") or BORDERS),
        area=area,
        staff=args.get("audience") == STAFF,
    )
    with found.store.read() as work:
        made = make_map_file(_source(work), asked)
    answer = Response(made.html, content_type="text/html; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=\"map.html\"; filename*=UTF-8''{quote(made.name)}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _source(work: Work) -> MapFileSource:
    found = parts()
    return MapFileSource(
        work=work,
        snapshot=snapshot(),
        layers=found.layers,
        actor=actor(),
        say=speech(),
        columns=found.columns.current,
        light=light_of(found.rulebook.categories),
        as_of=this_second(),
        site=found.settings.display_name,
        caption=found.settings.caption,
        reviewed=bool(found.settings.map_review_number),
        review_number=found.settings.map_review_number,
    )


def _page(args: Mapping[str, str]) -> ExportPage:
    say, reviewed = speech(), bool(parts().settings.map_review_number)
    theme, area, here = args.get("theme", BORDERS), args.get("area", ""), args.get("window", "")
    themes = [name for name in THEMES if name == BORDERS or allows(actor(), NEEDS.get(name, "insight.view"))]
    layers = Audience(actor(), reviewed).choose(parts().layers, "areas")
    levels = [layer.level for layer in layers if layer.level in snapshot().tables]
    chain = [level for level in parts().levels.chain("default") if level in levels]
    level = args.get("level", "") or (chain or levels or [""])[0]
    windows = months_up_to(now(), parts().settings.timezone, MONTHS)
    times = [Option(one.name, window_name(say, one), one.name == here) for one in reversed(windows)]
    times += [Option(name, say.t(f"insight.last_{name}"), name == here) for name in SPANS]
    return ExportPage(
        themes=tuple(Option(name, theme_title(say, name), name == theme) for name in themes),
        levels=tuple(Option(name, say.level_name(name), name == level) for name in levels),
        windows=tuple(times),
        areas=area_options(area),
        public=reviewed,
        staff=not reviewed or theme != BORDERS or args.get("audience") == STAFF,
    )
