"""`mapsvc patrols`: import tracks of patrols."""

from __future__ import annotations

from pathlib import Path

import click

from mapsvc.areas.index import Snapshots
from mapsvc.cli.areas import get_levels
from mapsvc.cli.context import console, get_settings, open_store
from mapsvc.geo.tracks import MODES_KMH
from mapsvc.patrols.service.import_gpx import GpxReport, import_gpx
from mapsvc.people.rules.actor import SYSTEM


@click.group()
def cli() -> None:
    """Import tracks of patrols."""


@cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--person", "person_code", required=True, help="Whose patrol it was: the code of a person.")
@click.option("--mode", type=click.Choice(list(MODES_KMH)), default="foot", show_default=True, help="How it was done.")
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "gcj02", "bd09", "cgcs2000"]),
    default="wgs84",
    show_default=True,
    help="Of the positions; GPX means WGS 84, some apps write GCJ-02.",
)
def import_(file: Path, person_code: str, mode: str, datum: str) -> None:
    """Import a track from FILE, a GPX of a logger or watch; the same file again changes nothing."""
    settings = get_settings()
    with open_store(settings) as store:
        snapshot = Snapshots(store, settings, get_levels(settings)).current(store.clock.now())
        report = import_gpx(store, SYSTEM, snapshot, file, person_code, mode, datum=datum)
    for line in lines_of(report):
        console().print(line)


def lines_of(report: GpxReport) -> list[str]:
    """Return what is printed about an import."""
    receipt = report.receipt
    drawn = f"{report.points} points, {report.recorded_m / 1000:.2f} km as drawn"
    if receipt.status == "same":
        return [f"{drawn}: this track is here already; nothing was changed."]
    lines = [
        f"{drawn}: {receipt.metres / 1000:.2f} km and {receipt.seconds / 60:.0f} minutes credited, in "
        f"{receipt.parts} parts."
    ]
    for count, words in (
        (report.without_time, "points have no time and are left out"),
        (receipt.gaps, "gaps of more than a minute and"),
        (receipt.inaccurate, "positions worse than 50 m credit nothing"),
        (receipt.overlapping, "positions lie in the time of another patrol of this person and credit nothing"),
    ):
        if words.endswith("and") and (count or receipt.jumps):
            lines.append(f"{count} {words} {receipt.jumps} jumps or legs too fast were not bridged.")
        elif count and not words.endswith("and"):
            lines.append(f"{count} {words}.")
    return lines
