"""Folium elements of our own: they load data by address, take scripts from `static/`, write no text into pages.

What folium ships is not used where it fetches from outside hosts, needs inline styles or jQuery, or writes
text unescaped. Every element hands its data over through `script_json`: branca parses the script of an element
as a template once more, so that `{{` in a name from a user would otherwise run on the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import folium
from branca.element import MacroElement
from folium.map import Layer
from folium.template import Template

_UNSAFE = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "'": "\\u0027",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
    "{{": "\\u007b\\u007b",
    "{%": "\\u007b%",
    "{#": "\\u007b#",
}


def script_json(value: object) -> str:
    """Return JSON that may stand inside a script element and inside a template.

    JSON itself never has `{{`, `{%` or `{#` outside of its texts, so that replacing them changes texts only.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for found, written in _UNSAFE.items():
        text = text.replace(found, written)
    return text


LIBRARIES = {
    "leaflet": ("vendor/leaflet/leaflet.js", "vendor/leaflet/leaflet.css"),
    "locate": ("vendor/locate/L.Control.Locate.min.js", "vendor/locate/L.Control.Locate.min.css"),
    "pmtiles": ("vendor/pmtiles/pmtiles.js", ""),
}
"""Script and style sheet of what maps need; all need Leaflet."""


class OfflineMap(folium.Map):
    """A Leaflet map whose scripts and styles are served by us and that writes no inline style.

    `options` go to `createMap` of `static/js/map/index.js`: `bounds` as [[south, west], [north, east]]
    or `center` as [lat, lon] with `zoom`, `max_zoom`, `label` (the accessible name).
    """

    _template = Template(
        """
        {% macro html(this, kwargs) %}
        <div class="folium-map" id="{{ this.get_name() }}"></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
        const {{ this.get_name() }} = mapsvc.createMap("{{ this.get_name() }}", {{ this.json }});
        {% endmacro %}
        """
    )
    default_js: list[tuple[str, str]] = []  # noqa: RUF012  # each map sets its own
    default_css: list[tuple[str, str]] = []  # noqa: RUF012  # each map sets its own

    def __init__(self, static_url: Callable[[str], str], libraries: Sequence[str] = (), **options: Any) -> None:
        super().__init__(location=[0.0, 0.0], tiles=None)
        # Of the instance: folium's own helpers would change the lists of every map in the process.
        own = {name: LIBRARIES[name] for name in dict.fromkeys(("leaflet", *libraries))}
        self.default_js = [(name, static_url(script)) for name, (script, _) in own.items()]
        self.default_css = [(f"{name}_css", static_url(style)) for name, (_, style) in own.items() if style]
        self.default_css.append(("mapsvc_map_css", static_url("css/map.css")))
        self.map_options = {"max_zoom": 20, **options}

    @property
    def json(self) -> str:
        """The options as they stand in the script."""
        return script_json(self.map_options)


class DataLayer(Layer):
    """A layer made by one function of `static/js/map/index.js` from JSON values; it fetches what it draws."""

    maker = ""
    _template = Template(
        """
        {% macro script(this, kwargs) %}
        const {{ this.get_name() }} = mapsvc.{{ this.maker }}({{ this.json }});
        {% endmacro %}
        """
    )

    def __init__(self, **data: Any) -> None:
        super().__init__(overlay=True, control=False, show=True)
        self._name = type(self).__name__
        self.data = data

    @property
    def json(self) -> str:
        """The values as they stand in the script."""
        return script_json(self.data)


class BaseMap(DataLayer):
    """Tiles of an outside service: `url`, `kind`, `datum` (wgs84 or gcj02; the base is moved, never the data)."""

    maker = "base"


class Net(DataLayer):
    """A faint net of squares of a round length, for a ground without a base map."""

    maker = "net"


class GroundLayer(DataLayer):
    """Streets, water, parks and buildings from the tiles at `url`; `layers` say how each is drawn, the lowest first."""

    maker = "ground"


class AreaLayer(DataLayer):
    """Areas of one level from the GeoJSON at `url`, drawn on canvas; `leads` and `lines_from` are zooms."""

    maker = "areas"


class AreaTileLayer(DataLayer):
    """Areas of a level of many, drawn from tiles; beside what `AreaLayer` takes the fields of `plans.TileSet`."""

    maker = "areaTiles"


class LabelLayer(DataLayer):
    """Names of the areas of the leading level, with a halo and without collisions."""

    maker = "labels"


class CaseLayer(DataLayer):
    """Open cases as signs from the tiles at `url`, grouped where they would cover each other."""

    maker = "cases"


class Behaviour(MacroElement):
    """What a page does with its map: one function `name(map, data)` of `static/js/map/index.js`, called last."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        mapsvc.{{ this.function }}({{ this._parent.get_name() }}, {{ this.json }});
        {% endmacro %}
        """
    )

    def __init__(self, function: str, **data: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # branca has no types here
        self._name = "Behaviour"
        self.function = function
        self.data = data

    @property
    def json(self) -> str:
        """The values as they stand in the script."""
        return script_json(self.data)
