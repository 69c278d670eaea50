"""`mapsvc locate`: in which areas a point lies, how surely, and who answers for them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import click
from rich.console import Console
from rich.table import Table

from mapsvc.areas.index import Snapshot, Snapshots
from mapsvc.areas.rules.located import Located, Responsible
from mapsvc.areas.rules.positions import check_position
from mapsvc.cli.areas import Day, day_to_moment, get_levels
from mapsvc.cli.context import get_settings, open_store
from mapsvc.geo.datums import DATUMS, belt_warning, in_mainland, to_wgs84


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("lon", type=float)
@click.argument("lat", type=float)
@click.option("--datum", type=click.Choice(DATUMS), default="wgs84", show_default=True, help="Datum of LON LAT.")
@click.option("--accuracy", "accuracy_m", type=click.FloatRange(min=0), help="Accuracy radius of the fix in metres.")
@click.option("--as-of", type=Day(), help="As on another day: borders and people.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cli(lon: float, lat: float, datum: str, accuracy_m: float | None, as_of: date | None, as_json: bool) -> None:
    """Say in which areas the point LON LAT lies and who answers for them. Longitude comes first."""
    settings = get_settings()
    levels = get_levels(settings)
    with open_store(settings) as store:
        now = store.clock.now()
        moment = day_to_moment(as_of, settings, now)
        snapshot = Snapshots(store, settings, levels).at(moment)
    # Asked before the conversion, which would refuse an exchanged pair with other words.
    check_position(lon, lat, snapshot.bounds)
    lons, lats = to_wgs84([lon], [lat], datum)
    point = float(lons[0]), float(lats[0])
    located = snapshot.locate(*point, accuracy_m)
    day = as_of or now.astimezone(settings.timezone).date()
    people = {area.area_id: snapshot.responsible(area.area_id, day) for area in located.areas}
    remarks = _remarks(snapshot, located, point, datum)
    if as_json:
        click.echo(json.dumps(_as_json(located, people, point, remarks), ensure_ascii=False, indent=2))
        return
    _print(located, people, point, remarks, snapshot)


def _remarks(snapshot: Snapshot, located: Located, point: tuple[float, float], datum: str) -> list[str]:
    remarks = []
    if not snapshot.tables:
        remarks.append("There are no borders in the store; import them by `mapsvc areas import`.")
    if located.rule == "none" and not in_mainland([point[0]], [point[1]])[0]:
        remarks.append("The point lies in the sea, or outside the mainland's outline.")
    if located.rule == "none" and snapshot.tables:
        remarks.append(f"No area lies within {snapshot.nearest_m:g} m of the point (未落格).")
    if datum in ("gcj02", "bd09"):
        belt = belt_warning([point[0]], [point[1]])
        if belt:
            remarks.append(belt)
    return remarks


def _as_json(
    located: Located, people: dict[int, Responsible | None], point: tuple[float, float], remarks: list[str]
) -> dict[str, object]:
    areas = []
    for area in located.areas:
        chief = people[area.area_id]
        areas.append({**asdict(area), "responsible": asdict(chief) if chief else None})
    return {
        "lon": point[0],
        "lat": point[1],
        "rule": located.rule,
        "distance_m": located.distance_m,
        "certainty": located.certainty,
        "owner_level": located.owner_level,
        "generation": located.generation,
        "areas": areas,
        "candidates": [asdict(candidate) for candidate in located.candidates],
        "remarks": remarks,
    }


_RULES = {
    "inside": "inside",
    "edge": "edge: several areas are possible (交界待定)",
    "nearest": "outside every area; the nearest one answers",
    "none": "outside every area",
}


def _print(
    located: Located,
    people: dict[int, Responsible | None],
    point: tuple[float, float],
    remarks: list[str],
    snapshot: Snapshot,
) -> None:
    screen = Console(highlight=False)
    screen.print(f"{point[0]:.8f}, {point[1]:.8f} (WGS 84): {_RULES[located.rule]}", markup=False)
    if located.rule == "nearest":
        screen.print(f"distance {located.distance_m:.1f} m")
    if located.candidates:
        screen.print(f"certainty {located.certainty:.1%}")
    if located.areas:
        table = Table("level", "code", "name", "answers for it")
        for area in located.areas:
            level = snapshot.levels.find(area.level)
            mark = " *" if area.level == located.owner_level else ""
            table.add_row(
                f"{level.zh if level else ''} {area.level}{mark}", area.code, area.name, _who(people[area.area_id])
            )
        screen.print(table)
        screen.print("* the level that owns a case here")
    for candidate in located.candidates:
        name = f"{candidate.code} {candidate.name}" if candidate.area_id else "outside every area"
        screen.print(f"  {candidate.probability:.1%} {name}", markup=False)
    for remark in remarks:
        screen.print(remark, style="yellow", markup=False)


def _who(chief: Responsible | None) -> str:
    if chief is None:
        return "nobody in post: one level up answers"
    words = {"acting": " (acting 代理)", "deputy": " (deputy 副职)"}
    return chief.name + words.get(chief.stand_in, "")
