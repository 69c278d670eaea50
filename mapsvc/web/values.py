"""Values that several routes take: positions, datums, moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from mapsvc.base.errors import InvalidInput
from mapsvc.web.parts import local_day, parts

Datum = Literal["wgs84", "gcj02", "bd09", "cgcs2000"]
Lon = Annotated[float, Field(description="Longitude in degrees, in the datum that is stated.", ge=-180, le=180)]
Lat = Annotated[
    float,
    Field(
        description="Latitude in degrees, in the datum that is stated.",
        ge=-180,  # wide enough for a longitude in its place: the rule of positions tells an exchange by name
        le=180,
        json_schema_extra={"minimum": -90, "maximum": 90},
    ),
]
Accuracy = Annotated[float, Field(description="Radius in metres within which the position lies (95 %).", ge=0, le=5000)]
AsOf = Annotated[
    AwareDatetime | date,
    Field(description="A day (its beginning, in the time zone of the district) or a moment with its zone."),
]
Bbox = Annotated[
    str,
    Field(
        description="west,south,east,north in degrees, WGS 84.",
        pattern=r"^-?\d{1,3}(\.\d{1,20})?(,-?\d{1,3}(\.\d{1,20})?){3}$",
    ),
]

EARLIEST, LATEST = date(1900, 1, 2), date(2199, 12, 30)


def moment_of(as_of: date | datetime) -> datetime:
    """Return the moment that is meant, in UTC; a day means its beginning where the district lies."""
    day = as_of.date() if isinstance(as_of, datetime) else as_of
    if not EARLIEST <= day <= LATEST:
        raise InvalidInput("date_out_of_range", f"{day} is no date to ask for.", hint="Ask for a day of this age.")
    if isinstance(as_of, datetime):
        return as_of.astimezone(UTC)
    return datetime.combine(as_of, time(), parts().settings.timezone).astimezone(UTC)


def day_of(as_of: date | datetime) -> date:
    """Return the local day that is meant."""
    return local_day(as_of) if isinstance(as_of, datetime) else as_of


def box_of(text: str) -> tuple[float, float, float, float]:
    """Return the box in degrees; one that is empty, reversed or out of range is refused."""
    west, south, east, north = (float(part) for part in text.split(","))
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InvalidInput(
            "bad_bbox",
            "The bbox must be west,south,east,north with west < east and south < north.",
            hint="Longitude first.",
        )
    return west, south, east, north
