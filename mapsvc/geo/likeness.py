"""Whether new borders look like GCJ-02 though they are called WGS 84: compared with borders already known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from mapsvc.geo.datums import gcj02_to_wgs84

CLEARLY = 0.05
"""By how much the overlap must grow under the shift before it is spoken of."""


@dataclass(frozen=True)
class Likeness:
    """How well new ground fits known ground, as intersection over union: as it stands, and read as GCJ-02."""

    as_it_stands: float
    as_gcj02: float

    @property
    def looks_like_gcj02(self) -> bool:
        """Whether the new ground fits clearly better when it is read as GCJ-02."""
        return self.as_gcj02 > self.as_it_stands + CLEARLY


def looks_like_gcj02(new: Iterable[BaseGeometry | None], known: Iterable[BaseGeometry | None]) -> Likeness | None:
    """Compare the unions of new and of known borders, both called WGS 84.

    `None` when they do not meet: nothing can be said then. A city's rim is compared, so that a few areas redrawn inside
    do not matter; the shift of 100 to 700 m is seen from about 20 km of ground downwards.
    """
    ground, other = _union(new), _union(known)
    if not shapely.intersects(ground, other):
        return None
    shifted = shapely.transform(ground, lambda c: np.column_stack(gcj02_to_wgs84(c[:, 0], c[:, 1])))
    return Likeness(_overlap(ground, other), _overlap(shapely.make_valid(shifted), other))


def _union(geometries: Iterable[BaseGeometry | None]) -> BaseGeometry:
    array = np.asarray(list(geometries), dtype=object)
    polygons = array[np.isin(shapely.get_type_id(array), (3, 6))]
    union: BaseGeometry = shapely.union_all(shapely.make_valid(polygons))
    return union


def _overlap(one: BaseGeometry, other: BaseGeometry) -> float:
    shared = shapely.area(shapely.intersection(one, other))
    whole = shapely.area(one) + shapely.area(other) - shared
    return float(shared / whole) if whole > 0 else 0.0
