"""The maps of the pages: which layers they show to whom, and what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from branca.element import MacroElement

from mapsvc.catalog import Layer, Layers
from mapsvc.maps.compose import MapPlan, View
from mapsvc.maps.elements import AreaLayer, AreaTileLayer, BaseMap, Behaviour, CaseLayer, GroundLayer, LabelLayer, Net
from mapsvc.people.rules.actor import Actor

NEVER = 99
"""A zoom that no map reaches."""


PALER = 0.6
"""Share of their fill that areas keep over a base map, so that a river stays a river."""


@dataclass(frozen=True)
class Ground:
    """What lies under every map: the tile service of the settings, or none, and the district's own base map.

    `url` is as `parse_base_map` returns it, `kind` tiles or pmtiles. `own` are the layers of that base map
    which have something to draw, `own_url` the address of their tiles.
    """

    url: str = ""
    datum: str = "wgs84"
    kind: str = "tiles"
    subdomains: str = "abc"
    own: Sequence[Layer] = ()
    own_url: str = ""
    own_last_zoom: int = 15

    @property
    def libraries(self) -> tuple[str, ...]:
        """What the base map needs beside Leaflet."""
        return ("pmtiles",) if self.url and self.kind == "pmtiles" else ()

    @property
    def shows_own(self) -> bool:
        """Whether the own base map is drawn unless the reader says otherwise: it would cover a tile service."""
        return bool(self.own) and not self.url

    def layers(self, *, switched: bool = False) -> list[MacroElement]:
        """Return the tile service or a metric net where there is no ground at all, then the own base map.

        Over a tile service the own base map is there only where the page has switches for its layers (`switched`),
        and hidden at first.
        """
        found: list[MacroElement] = []
        if self.url:
            found = [BaseMap(url=self.url, datum=self.datum, kind=self.kind, subdomains=self.subdomains)]
        if self.own and (self.shows_own or switched):
            looks = [ground_look(layer) for layer in self.own]
            hidden = not self.shows_own
            found.append(GroundLayer(url=self.own_url, last_zoom=self.own_last_zoom, layers=looks, hidden=hidden))
        return found or [Net()]


def ground_look(layer: Layer) -> dict[str, Any]:
    """Return how a ground layer is drawn, as `static/js/map/ground.js` reads it."""
    return {
        "code": layer.code,
        "zooms": list(layer.zooms),
        "style": asdict(layer.style),
        "label": asdict(layer.label),
        "kinds": [
            {"values": list(kind.values), "from_zoom": kind.from_zoom, "style": asdict(kind.style)}
            for kind in layer.kinds
        ],
    }


@dataclass(frozen=True)
class Audience:
    """Who looks: borders go to the public only under a map review number."""

    actor: Actor
    reviewed: bool

    @property
    def sees_borders(self) -> bool:
        """Whether administrative borders may be drawn."""
        return self._is_staff or self.reviewed

    @property
    def _is_staff(self) -> bool:
        """Whether it is somebody with an account, or the program itself on the command line."""
        return self.actor.user_id is not None or self.actor.system

    def choose(self, layers: Layers, source: str) -> list[Layer]:
        """Return the layers of a source that may be shown, the lowest first."""
        if source == "areas" and not self.sees_borders:
            return []
        roles, known = self.actor.role_names, self._is_staff
        return [layer for layer in layers if layer.source == source and layer.is_for(roles, logged_in=known)]


MANY_AREAS = 400
"""A level of more areas than this is drawn from tiles: they weigh less than its GeoJSON, and frames stay short."""


@dataclass(frozen=True)
class TileSet:
    """The tiles of a level: addresses with {z}, {x} and {y}, that of its values, and how large its areas are.

    `ids_to_zoom` is the last zoom at which id rasters serve better than vectors, -1 for none; `side_m` the side in
    metres of a mean area as a square.
    """

    tiles: str
    ids: str
    ids_to_zoom: int
    values: str
    count: int
    side_m: float


@dataclass(frozen=True)
class Addresses:
    """Where layers load from: the areas API, the tiles of cases, and of levels of many areas their tiles.

    `chiefs` tells who answers for the areas in a box, by level.
    """

    areas: str
    cases: str
    tiles: Mapping[str, TileSet] = field(default_factory=dict)
    chiefs: str = ""


def area_layers(
    layers: Layers, audience: Audience, addresses: Addresses, levels: Sequence[str], *, over_ground: bool = False
) -> list[MacroElement]:
    """Return the area layers of the levels that have areas, each with its own address; fainter over a base map."""
    paler = PALER if over_ground else 1.0
    chiefs = audience.choose(layers, "chiefs")
    chiefs_from = chiefs[0].zooms[0] if chiefs else NEVER
    found: list[MacroElement] = []
    for layer in audience.choose(layers, "areas"):
        if layer.level not in levels:
            continue
        look = {
            "level": layer.level,
            "leads_from": layer.label.from_zoom if layer.label.field else NEVER,
            "chiefs_from": chiefs_from,
            "zooms": list(layer.zooms),
            "color": layer.style.color,
            "weight": layer.style.weight,
            "opacity": layer.style.opacity,
            "fill": layer.style.fill_opacity * paler,
        }
        tiles = addresses.tiles.get(layer.level)
        if tiles is None:
            found.append(AreaLayer(url=f"{addresses.areas}?level={layer.level}&limit=5000", **look))
        else:
            one = f"{addresses.areas}?level={layer.level}&limit=1"
            found.append(AreaTileLayer(url=one, chiefs=addresses.chiefs, **look, **asdict(tiles)))
    return found


@dataclass(frozen=True)
class MapOf:
    """Everything that the plans have in common."""

    layers: Layers
    audience: Audience
    addresses: Addresses
    ground: Ground
    levels: Sequence[str]
    options: dict[str, Any] = field(default_factory=dict)

    def _plan(
        self,
        view: View,
        label: str,
        layers: list[MacroElement],
        behaviour: Behaviour,
        *libraries: str,
        switched: bool = False,
    ) -> MapPlan:
        """Put the ground under the layers. Pictures are sharp at whole zooms only; without them a view fits closely."""
        options = dict(self.options) if self.ground.url else {"zoom_snap": 0.25, **self.options}
        ground = self.ground.layers(switched=switched)
        return MapPlan(view, label, [*ground, *layers], behaviour, options, self.ground.libraries + libraries)

    def _areas(self, levels: Sequence[str]) -> list[MacroElement]:
        over = bool(self.ground.own or self.ground.url)
        return area_layers(self.layers, self.audience, self.addresses, levels, over_ground=over)

    def city(self, view: View, label: str, **data: Any) -> MapPlan:
        """Return the map of the whole city: levels by zoom, names, open cases."""
        shown = self._areas(self.levels)
        cases = [CaseLayer(url=self.addresses.cases) for _ in self.audience.choose(self.layers, "cases")[:1]]
        names = [LabelLayer()] if shown or self.ground.own else []
        return self._plan(view, label, [*shown, *names, *cases], Behaviour("city", **data), "locate", switched=True)

    def area(self, view: View, label: str, level: str, code: str, area_id: int, case_url: str) -> MapPlan:
        """Return the map of one area: outlined, its neighbours dimmed, with its open cases."""
        shown = self._areas([level])
        cases = [
            CaseLayer(url=f"{self.addresses.cases}?area_id={area_id}")
            for _ in self.audience.choose(self.layers, "cases")[:1]
        ]
        behaviour = Behaviour("area", level=level, code=code, case_url=case_url)
        return self._plan(view, label, [*shown, LabelLayer(), *cases], behaviour)

    def spot(self, view: View, label: str, **data: Any) -> MapPlan:
        """Return the map of one case: its sign, its accuracy, the areas round it."""
        level = [str(data["level"])] if data.get("level") else []
        shown = self._areas(level)
        return self._plan(view, label, [*shown, LabelLayer()], Behaviour("spot", **data))

    def pin(self, view: View, label: str, form: str) -> MapPlan:
        """Return the map on which a place is chosen for a form; its fields stay the truth."""
        shown = self._areas(self.levels)
        return self._plan(view, label, [*shown, LabelLayer()], Behaviour("pin", form=form))

    def insight(self, view: View, label: str, **data: Any) -> MapPlan:
        """Return the map of figures: the areas of one level in the colours of a rate, or heat beneath their lines.

        Rates come by the codes of areas, so their borders come whole.
        """
        whole = replace(self.addresses, tiles={})
        shown = area_layers(self.layers, self.audience, whole, [str(data["level"])])
        return self._plan(view, label, [*shown, LabelLayer()], Behaviour("insight", **data))
