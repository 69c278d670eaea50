"""Whether coordinates can be what a file declares them to be: degrees, metres, this belt or another.

The zones are those of CGCS2000: 3-degree belts 25 to 45 (EPSG:4513-4533 with the zone written before
the easting, EPSG:4534-4554 without) and 6-degree belts 13 to 23 (EPSG:4491-4501 and 4502-4512).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mapsvc.base.errors import InvalidInput

Box: TypeAlias = tuple[float, float, float, float]


def check_bounds(lowest: Sequence[float], highest: Sequence[float], name: str, epsg: int | None, degrees: bool) -> None:
    """Raise InvalidInput when the smallest and largest x and y do not fit the system of that name and code.

    Codes: `crs_looks_projected`, `axes_swapped`, `out_of_range`, `crs_looks_geographic`, `crs_zone_mismatch`.
    """
    box = (lowest[0], lowest[1], highest[0], highest[1])
    if degrees:
        _check_degrees(box)
    else:
        _check_plane(box, name, epsg)


def _check_degrees(box: Box) -> None:
    west, south, east, north = box
    if max(abs(west), abs(east), abs(south), abs(north)) > 360:
        raise InvalidInput(
            "crs_looks_projected",
            f"The file is declared to hold degrees, but its coordinates reach {max(east, north):.0f}: they are metres.",
            hint="Name the projected system by --crs, for example EPSG:4549.",
        )
    if swapped_degrees(west, south, east, north):
        raise InvalidInput(
            "axes_swapped",
            f"Longitude and latitude are swapped: {west:.4f} to {east:.4f} by {south:.4f} to {north:.4f}.",
            hint="Write the longitude first.",
        )
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise InvalidInput(
            "out_of_range",
            f"Coordinates lie outside the earth: {west:.4f} to {east:.4f} by {south:.4f} to {north:.4f}.",
            hint="Longitudes go from -180 to 180, latitudes from -90 to 90.",
        )


def swapped_degrees(west: float, south: float, east: float, north: float) -> bool:
    """Return whether bounds in degrees have latitude first: "latitudes" above 90, or China's box turned over.

    Examples
    --------
    >>> swapped_degrees(30.1, 118.2, 30.4, 118.9), swapped_degrees(118.2, 30.1, 118.9, 30.4)
    (True, False)
    """
    if (south < -90 or north > 90) and west >= -90 and east <= 90:
        return True
    return west >= 3 and east <= 54 and south >= 73 and north <= 136


def _check_plane(box: Box, name: str, epsg: int | None) -> None:
    west, south, east, north = box
    if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:
        raise InvalidInput(
            "crs_looks_geographic",
            f"The file is declared as {name}, in metres, but its coordinates look like degrees.",
            hint="Name the datum by --crs: wgs84, cgcs2000, gcj02 or bd09.",
        )
    belt = belt_of(epsg)
    if belt is None:
        return
    if _swapped_plane(box, belt):
        raise InvalidInput(
            "axes_swapped",
            "Northing stands before easting: the first coordinate runs along the meridian.",
            hint="Write the easting first.",
        )
    right = _epsg_of_eastings(west, east, belt)
    if right != epsg:
        named = f" They fit EPSG:{right}." if right else ""
        raise InvalidInput(
            "crs_zone_mismatch",
            f"Eastings from {west:.0f} to {east:.0f} are not those of {name} (EPSG:{epsg}).{named}",
            hint=f"Give --crs EPSG:{right}." if right else "Check zone and prefix of the coordinates.",
            detail={"declared": epsg, "fits": right},
        )


@dataclass(frozen=True)
class Belt:
    """One Gauss-Kruger belt of CGCS2000: width in degrees, zone number, and whether eastings begin with it."""

    width: int
    zone: int
    prefixed: bool

    @property
    def epsg(self) -> int:
        """The code of this belt: 4513-4533 and 4491-4501 with the zone as prefix, 4534-4554 and 4502-4512 without."""
        if self.width == 3:
            return (4513 if self.prefixed else 4534) + self.zone - 25
        return (4491 if self.prefixed else 4502) + self.zone - 13


def belt_of(epsg: int | None) -> Belt | None:
    """Return the CGCS2000 belt of an EPSG code, `None` for other codes.

    Examples
    --------
    >>> belt_of(4549)
    Belt(width=3, zone=40, prefixed=False)
    """
    for first, width, zone, prefixed in (
        (4513, 3, 25, True),
        (4534, 3, 25, False),
        (4491, 6, 13, True),
        (4502, 6, 13, False),
    ):
        count = 21 if width == 3 else 11
        if epsg is not None and first <= epsg < first + count:
            return Belt(width, zone + epsg - first, prefixed)
    return None


def _swapped_plane(box: Box, belt: Belt) -> bool:
    """Return whether x looks like a northing within China (1,800 to 6,100 km) and y like an easting of the belt."""
    west, south, east, north = box
    northing_first = west >= 1.8e6 and east <= 6.1e6
    plain_easting_second = south >= 1e5 and north <= 9e5
    zone_second = belt.prefixed and int(south // 1e6) == belt.zone
    return northing_first and (plain_easting_second or zone_second)


def _epsg_of_eastings(west: float, east: float, declared: Belt) -> int | None:
    """Return the code of the belt that the eastings fit: their prefix decides, or, without one, the declared zone."""
    first, last = int(west // 1e6), int(east // 1e6)
    if first != last:
        return None
    if first == 0:
        return Belt(declared.width, declared.zone, prefixed=False).epsg
    if 25 <= first <= 45:
        return Belt(3, first, prefixed=True).epsg
    if 13 <= first <= 23:
        return Belt(6, first, prefixed=True).epsg
    return None
