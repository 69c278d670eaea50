"""Tiles of the district's own base map, for everybody whom a layer's audience names."""

from __future__ import annotations

from flask import Response, request

from mapsvc.base.errors import NotFound
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.parts import actor, parts
from mapsvc.web.present.ground import LAST_ZOOM, Drawn
from mapsvc.web.respond import tagged, unchanged

ONE_YEAR_S = 31_536_000


def drawn_ground() -> tuple[Drawn, ...]:
    """Return the ground layers that the asker sees and that have something to draw."""
    who = actor()
    known = who.user_id is not None
    layers = [layer for layer in parts().layers if layer.is_for(who.role_names, logged_in=known)]
    return parts().ground.drawn(layers)


@pages.get("/map/ground/<int:z>/<int:x>/<int:y>.json")
@permission("layer.view")
def ground_tile(z: int, x: int, y: int) -> Response:
    """Return one tile of the ground layers; `v` names what is drawn, and an answer to the present one may be kept."""
    if z > LAST_ZOOM or x >= 2**z or y >= 2**z:
        raise NotFound("no_such_tile", "There is no such tile.", hint=f"Zooms go to {LAST_ZOOM}.")
    grounds, drawn = parts().ground, drawn_ground()
    version = grounds.version(drawn)
    public = all("public" in one.layer.audience for one in drawn)
    answer = unchanged(version, public=public)
    if answer is None:
        answer = Response(grounds.tile(drawn, z, x, y), content_type="application/json")
    tagged(answer, version, public=public)
    if request.args.get("v") == version:
        who = "public" if public else "private"
        answer.headers["Cache-Control"] = f"{who}, max-age={ONE_YEAR_S}, immutable"
    return answer
