"""What the maps of all pages have in common: ground, audience, addresses, the view of the whole district."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import current_app, url_for

from mapsvc.base.basemap import parse_base_map
from mapsvc.base.settings import Settings
from mapsvc.catalog import Layer
from mapsvc.geo.tiles.raster import last_small_zoom
from mapsvc.maps.compose import MapParts, MapPlan, View, compose
from mapsvc.maps.plans import MANY_AREAS, Addresses, Audience, Ground, MapOf, TileSet
from mapsvc.web.pages.frame import speech
from mapsvc.web.pages.ground import drawn_ground
from mapsvc.web.parts import actor, parts, snapshot
from mapsvc.web.present.ground import LAST_ZOOM, Drawn
from mapsvc.web.present.legend import Legend, ground_legend, line_legend, shapes_of


def map_of() -> MapOf:
    """Return what the maps of this answer are made of."""
    found = parts()
    own = drawn_ground()
    version = found.ground.version(own)
    tiles = f"{url_for('pages.city_map')}map/ground/{{z}}/{{x}}/{{y}}.json?v={version}"
    return MapOf(
        layers=found.layers,
        audience=Audience(actor(), reviewed=bool(found.settings.map_review_number)),
        addresses=Addresses(
            areas=url_for("api.areas.list_areas"),
            cases=_template("tiles.cases.case_tile"),
            tiles=_tile_sets(),
            chiefs=url_for("pages.map_chiefs"),
        ),
        ground=_ground(found.settings, [one.layer for one in own], tiles),
        levels=tuple(snapshot().tables),
    )


def _template(endpoint: str, **values: Any) -> str:
    """Return the address of tiles with its three variables."""
    return url_for(endpoint, z=0, x=0, y=0, **values).replace("/0/0/0.", "/{z}/{x}/{y}.", 1)


def _tile_sets() -> dict[str, TileSet]:
    """Return the tiles of the levels that are too large to be sent whole."""
    shown, made = snapshot(), parts().area_tiles
    lat = 0.0 if shown.bounds is None else (shown.bounds[1] + shown.bounds[3]) / 2
    found = {}
    for level, table in shown.tables.items():
        if len(table) <= MANY_AREAS:
            continue
        version, side_m = made.version(shown, level), made.mean_side_m(shown, level)
        found[level] = TileSet(
            tiles=_template("tiles.areas.vector_tile", level=level, v=version),
            ids=_template("tiles.areas.id_tile", level=level, v=version),
            ids_to_zoom=last_small_zoom(side_m, lat),
            values=url_for("tiles.values.area_values", level=level, v=version),
            count=len(table),
            side_m=round(side_m, 1),
        )
    return found


def _ground(settings: Settings, own: list[Layer], tiles: str) -> Ground:
    """Return what lies under the map: the base map of the settings, and the district's own."""
    if not settings.base_map_url:
        return Ground(own=own, own_url=tiles, own_last_zoom=LAST_ZOOM)
    base = parse_base_map(settings.base_map_url)
    datum, hosts = settings.base_map_datum, settings.base_map_subdomains
    return Ground(base.url, datum, base.kind, hosts, own, tiles, LAST_ZOOM)


def district_view() -> View:
    """Return the view of everything there is."""
    bounds = snapshot().bounds
    if bounds is None:
        return View()
    west, south, east, north = bounds
    return View(box=(west, south, east, north))


def choosing_view() -> View:
    """Return where choosing a place begins: everything, or for those who see no borders a street's width of it."""
    bounds = snapshot().bounds
    if bounds is None or map_of().audience.sees_borders:
        return district_view()
    west, south, east, north = bounds
    return View(lon=(west + east) / 2, lat=(south + north) / 2, zoom=15)


def shown_ground() -> tuple[Drawn, ...]:
    """Return the layers of the own base map that a page without switches draws: none over a tile service."""
    return drawn_ground() if map_of().ground.shows_own else ()


def choosing_legend() -> Legend:
    """Return the legend of a map on which a place is chosen: borders only for those who see them."""
    made, say = map_of(), speech()
    lines = line_legend(say, made.audience.choose(made.layers, "areas"), made.levels)
    shapes = shapes_of(say, "pin", "accuracy")
    return Legend(lines=lines, shapes=shapes, ground=ground_legend(say, shown_ground()))


def draw(plan: MapPlan) -> MapParts:
    """Compose a map for this answer."""
    return compose(plan, cast("Callable[[str], str]", current_app.jinja_env.globals["static_url"]))
