"""Borders that must tile their ground: checked, and repaired behind a preview."""

from mapsvc.geo.coverage_check import KINDS, CheckOptions, Finding, Parents, check_coverage, shared_borders
from mapsvc.geo.coverage_moves import MovedPiece
from mapsvc.geo.coverage_repair import Change, Hole, Refusal, RepairPreview, repair_coverage

__all__ = [
    "KINDS",
    "Change",
    "CheckOptions",
    "Finding",
    "Hole",
    "MovedPiece",
    "Parents",
    "Refusal",
    "RepairPreview",
    "check_coverage",
    "repair_coverage",
    "shared_borders",
]
