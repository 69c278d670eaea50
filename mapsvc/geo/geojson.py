"""GeoJSON by RFC 7946: WGS 84 longitude/latitude, shells counter-clockwise, bounded decimals.

The geometry texts come from GEOS in one vectorised call and are embedded as they are, so that a
collection costs little more than writing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from mapsvc.base.errors import InvalidInput

LATTICE_DIGITS = 8
"""Decimals that keep a border exactly, for exchange."""

SCREEN_DIGITS = 7
"""Decimals that are enough for drawing: 1 cm."""

MEDIA_TYPE = "application/geo+json"


def encode_geometries(
    geometries: Iterable[BaseGeometry | None], *, digits: int = LATTICE_DIGITS
) -> list[orjson.Fragment]:
    """Return each geometry as a ready piece of JSON, to be placed in a larger answer by orjson.

    `None` and empty geometries become `null`. Z is dropped; shells go counter-clockwise.
    """
    array = np.asarray(list(geometries), dtype=object)
    present = ~(shapely.is_missing(array) | shapely.is_empty(array))
    shown: NDArray[np.object_] = shapely.orient_polygons(shapely.force_2d(array[present]))
    shown = shapely.transform(shown, lambda c: np.round(c, digits) + 0.0)
    texts = iter(shapely.to_geojson(shown))
    return [orjson.Fragment(next(texts) if there else "null") for there in present]


def encode_features(
    geometries: Iterable[BaseGeometry | None],
    properties: Sequence[Mapping[str, Any]],
    *,
    ids: Sequence[str | int] | None = None,
    digits: int = LATTICE_DIGITS,
    members: Mapping[str, Any] | None = None,
) -> bytes:
    """Return a FeatureCollection as UTF-8 JSON.

    `members` are further members of the collection, such as `numberReturned`, `links` or `next`.

    Examples
    --------
    >>> encode_features([shapely.Point(118.5, 30.25)], [{"code": "A"}], ids=[7]).decode()
    '{"type":"FeatureCollection","features":[{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[118.5,30.25]},"properties":{"code":"A"}}]}'
    """
    features = _features(geometries, properties, ids, digits)
    return orjson.dumps({"type": "FeatureCollection", **(members or {}), "features": features}, default=str)


def iter_features(
    batches: Iterable[tuple[Sequence[BaseGeometry | None], Sequence[Mapping[str, Any]]]],
    *,
    digits: int = LATTICE_DIGITS,
) -> Iterator[bytes]:
    """Yield a FeatureCollection in pieces, one per batch of (geometries, properties), in bounded memory."""
    yield b'{"type":"FeatureCollection","features":['
    first = True
    for geometries, properties in batches:
        lines = b",\n".join(
            orjson.dumps(feature, default=str) for feature in _features(geometries, properties, None, digits)
        )
        if lines:
            yield lines if first else b",\n" + lines
            first = False
    yield b"]}\n"


def decode_geometry(text: str | bytes) -> BaseGeometry:
    """Return the geometry of a GeoJSON geometry, WGS 84 as RFC 7946 demands; Z is dropped.

    Raises
    ------
    InvalidInput
        Code `bad_geojson` when it is not JSON, not GeoJSON or holds no geometry.
    """
    try:
        geometry = shapely.from_geojson(text)
    except (GEOSException, UnicodeDecodeError) as error:
        raise _bad_geojson() from error
    if geometry is None:
        raise _bad_geojson()
    flat: BaseGeometry = shapely.force_2d(geometry)
    return flat


def _bad_geojson() -> InvalidInput:
    return InvalidInput(
        "bad_geojson",
        "This is not a GeoJSON geometry.",
        hint='Send an object such as {"type":"Point","coordinates":[lon,lat]}.',
    )


def _features(
    geometries: Iterable[BaseGeometry | None],
    properties: Sequence[Mapping[str, Any]],
    ids: Sequence[str | int] | None,
    digits: int,
) -> list[dict[str, Any]]:
    encoded = encode_geometries(geometries, digits=digits)
    if ids is None:
        pairs = zip(encoded, properties, strict=True)
        return [{"type": "Feature", "geometry": shape, "properties": values} for shape, values in pairs]
    rows = zip(ids, encoded, properties, strict=True)
    return [{"type": "Feature", "id": key, "geometry": shape, "properties": values} for key, shape, values in rows]
