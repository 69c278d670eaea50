"""The ground layers as pages draw them: which have something to draw, their looks, and their tiles."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import shapely

from mapsvc.areas.ground import GroundFiles, GroundLayer
from mapsvc.catalog import Layer
from mapsvc.geo.groundtiles import GroundTiles, join_lines

LAST_ZOOM = 15
"""Tiles of this zoom are drawn at every zoom beyond it: a quarter of a metre is told apart there."""

ON_SCREEN = 1
"""A tile is drawn on 512 pixels, at the map's zoom one above its own."""

KEPT_TILES = 400


@dataclass(frozen=True)
class Drawn:
    """A layer file with the ground layer that it draws, which is there and not empty."""

    layer: Layer
    ground: GroundLayer

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that the ground layer really holds."""
        return frozenset(self.ground.rows.kinds)

    @property
    def has_polygons(self) -> bool:
        """Whether its things are grounds rather than lines; a layer is meant to hold one or the other."""
        return bool(np.isin(shapely.get_type_id(self.ground.rows.geometries[:200]), (3, 6)).mean() > 0.5)


class Grounds:
    """Layers of the ground and their tiles, made when asked for and kept while they are asked for."""

    def __init__(self, files: GroundFiles) -> None:
        self.files = files
        self._lock = threading.Lock()
        self._cutters: dict[str, tuple[str, GroundTiles]] = {}
        self._tiles: OrderedDict[tuple[str, int, int, int], bytes] = OrderedDict()

    def drawn(self, layers: Sequence[Layer]) -> tuple[Drawn, ...]:
        """Return those of the layers that have something to draw, the lowest first."""
        found = self.files.find_all([layer.ground for layer in layers if layer.source == "ground"])
        return tuple(Drawn(layer, found[layer.ground]) for layer in layers if layer.ground in found)

    def version(self, drawn: Sequence[Drawn]) -> str:
        """Return what changes with the content and with the zooms of the layers."""
        return hashlib.sha256(repr([_key(one) for one in drawn]).encode()).hexdigest()[:12]

    def tile(self, drawn: Sequence[Drawn], z: int, x: int, y: int) -> bytes:
        """Return one tile of these layers as JSON: names and kinds as texts, coordinates as steps."""
        key = (self.version(drawn), z, x, y)
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
                return found
        made = orjson.dumps({"layers": [self._cut(one, z, x, y) for one in drawn if _reaches(one.layer, z)]})
        with self._lock:
            self._tiles[key] = made
            while len(self._tiles) > KEPT_TILES:
                self._tiles.popitem(last=False)
        return made

    def _cut(self, one: Drawn, z: int, x: int, y: int) -> dict[str, Any]:
        rows, kinds = one.ground.rows, {"": 0}
        features = []
        for piece in self._cutter(one).cut(z, x, y):
            kind = kinds.setdefault(rows.kinds[piece.row], len(kinds))
            features.append((piece.shape, kind, rows.names[piece.row], rows.households[piece.row], piece.lines))
        return {"code": one.layer.code, "kinds": list(kinds), "features": features}

    def _cutter(self, one: Drawn) -> GroundTiles:
        key = repr(_key(one))
        known = self._cutters.get(one.layer.code)
        if known is None or known[0] != key:
            rows = one.ground.rows
            first = {value: kind.from_zoom for kind in one.layer.kinds for value in kind.values}
            zooms = [min(LAST_ZOOM, first.get(kind, 0) - ON_SCREEN) for kind in rows.kinds]
            keys = [(name, kind) if name else None for name, kind in zip(rows.names, rows.kinds, strict=True)]
            joined = join_lines(rows.geometries, keys)
            known = (key, GroundTiles(joined, np.asarray(zooms, dtype=np.int64)))
            self._cutters[one.layer.code] = known
        return known[1]


def _reaches(layer: Layer, z: int) -> bool:
    """Whether a layer is in tiles of a zoom; those of the last zoom serve every later zoom of the map."""
    low, high = layer.zooms
    return z == LAST_ZOOM or low <= z + ON_SCREEN <= high


def _key(one: Drawn) -> tuple[Any, ...]:
    return one.layer.code, one.ground.version, one.layer.zooms, [(k.values, k.from_zoom) for k in one.layer.kinds]
