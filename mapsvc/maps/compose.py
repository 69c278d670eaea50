"""Puts maps together from layers and gives their three parts to a page's own template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from branca.element import Figure, MacroElement

from mapsvc.maps.elements import OfflineMap


@dataclass(frozen=True)
class MapParts:
    """A map as it goes into a page: links for the head, an element for the body, statements for a module script.

    The statements use the name `mapsvc` for `module`, which the script imports first.
    """

    header: str
    html: str
    script: str
    module: str


@dataclass(frozen=True)
class View:
    """What a map shows at first, WGS 84 degrees: a box (west, south, east, north), or a point with a zoom."""

    box: tuple[float, float, float, float] | None = None
    lon: float | None = None
    lat: float | None = None
    zoom: int = 16

    def options(self) -> dict[str, Any]:
        """Return it as Leaflet says it, latitude first."""
        if self.lon is not None and self.lat is not None:
            return {"center": [self.lat, self.lon], "zoom": self.zoom}
        if self.box is not None:
            west, south, east, north = self.box
            return {"bounds": [[south, west], [north, east]]}
        return {"center": [35.0, 104.0], "zoom": 4}


@dataclass(frozen=True)
class MapPlan:
    """A map to compose: its view, its accessible name, its layers from the ground up, its behaviour."""

    view: View
    label: str
    layers: Sequence[MacroElement]
    behaviour: MacroElement | None = None
    options: dict[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    """Libraries of `static/vendor` that this map needs beside Leaflet; see `elements.LIBRARIES`."""


def compose(plan: MapPlan, static_url: Callable[[str], str]) -> MapParts:
    """Compose the map; `static_url` returns the address of a file of `static/`."""
    made = OfflineMap(static_url, plan.libraries, label=plan.label, **plan.view.options(), **plan.options)
    for layer in plan.layers:
        layer.add_to(made)
    if plan.behaviour is not None:
        plan.behaviour.add_to(made)
    figure = made.get_root()
    assert isinstance(figure, Figure)  # folium puts every map into one
    del figure.header._children["meta_http"]  # the page's own head says its encoding
    for child in list(figure._children.values()):
        child.render()
    return MapParts(
        header=figure.header.render(),
        html=figure.html.render(),
        script=figure.script.render(),
        module=static_url("js/map/index.js"),
    )
