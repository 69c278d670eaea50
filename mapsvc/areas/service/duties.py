"""Units and the duty table (处置责任): which unit is due for which category where; from a workbook or in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from shapely.geometry.base import BaseGeometry
from sqlalchemy import insert, select

from mapsvc.areas.models import Duty
from mapsvc.areas.queries import posts as queries
from mapsvc.areas.service.duty_polygons import PolygonFile, put_polygons, read_polygons
from mapsvc.areas.service.import_posts import read_level
from mapsvc.areas.service.writing import bump_revision, drop_unused
from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.columns import Column
from mapsvc.base.tables.reading import open_table
from mapsvc.base.tables.rows import CellProblem, RowReader, TableRow
from mapsvc.base.tables.writing import write_error_workbook
from mapsvc.catalog import Categories, Levels
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.people.service.units import UnitData, upsert_units
from mapsvc.storage.work import Store, Work

COLUMNS = (
    Column("unit_code", ("单位编码", "单位代码", "处置单位编码", "unit"), required=True),
    Column("unit_name", ("单位", "单位名称", "处置单位", "处置单位名称", "name"), required=True),
    Column("phone", ("电话", "联系电话", "值班电话")),
    Column("kind", ("单位类型", "类型")),
    Column("category", ("类别", "类别编码", "问题类别", "小类编码", "大类编码", "案件类别")),
    Column("level", ("层级", "级别")),
    Column("area_code", ("辖区编码", "辖区代码", "区域编码", "网格编码", "片区编码", "area")),
    Column("owner", ("权属", "权属单位", "产权单位", "主管单位")),
    Column("polygon", ("责任区", "责任区名称", "范围", "责任范围", "责任区域")),
    Column("from", ("起", "起始日期", "开始日期", "valid_from")),
    Column("to", ("止", "终止日期", "结束日期", "valid_to")),
)

ANY_CATEGORY = ("*", "全部", "所有", "all")


@dataclass(frozen=True)
class DutyData:
    """One line of the duty table; empty fields do not narrow. `category` is a code or the beginning of one.

    `polygon` names one of the polygons that are handed in beside the duties.
    """

    unit_code: str
    category: str
    level: str = ""
    area_code: str = ""
    owner: str = ""
    polygon: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class UnitsWritten:
    """What became of units and duties that were given."""

    units_added: int
    units_changed: int
    duties_added: int
    duties_changed: int
    duties_unchanged: int


@dataclass(frozen=True)
class UnitsReport:
    """What a file of units held; `written` is None in a dry run or when all was refused."""

    file_format: str
    encoding: str
    read: int
    refused: int
    problems: tuple[CellProblem, ...]
    errors: Path | None
    written: UnitsWritten | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnitImportOptions:
    """`errors`: where the workbook of refused rows goes. `skip_refused`: take the good rows all the same.

    `polygons` is the file whose features the column `polygon` names.
    """

    dry_run: bool = False
    skip_refused: bool = False
    errors: Path | None = None
    sheet: str = ""
    columns: Mapping[str, str] | None = None
    polygons: PolygonFile | None = None


def put_units(
    work: Work,
    levels: Levels,
    actor: Actor,
    units: Sequence[UnitData],
    duties: Sequence[DutyData],
    polygons: Mapping[str, BaseGeometry] | None = None,
) -> UnitsWritten:
    """Write units and their duties, all or none; a duty is known again by unit, category, place and owner.

    `polygons` are those that the duties name, on the lattice in WGS 84 degrees. A polygon that comes again under its
    name with another border moves the duty: the name is what it is known by.
    """
    require(actor, "unit.import")
    people = upsert_units(work, actor, units)
    areas = _areas(work, levels, duties)
    borders = _borders(work, duties, polygons or {})
    known = {_Key(row.unit_id, row.category, row.level, row.area_id, row.owner, row.polygon): row for row in _all(work)}
    fresh: dict[_Key, dict[str, object]] = {}
    changed: set[_Key] = set()
    unchanged: set[_Key] = set()
    redrawn: set[int] = set()
    for duty in duties:
        unit_id = people.ids.get(duty.unit_code)
        if unit_id is None:
            raise InvalidInput("unknown_unit", f"A duty names the unit {duty.unit_code}, which is not there.")
        area_id = areas[duty.level, duty.area_code] if duty.area_code else None
        key = _Key(unit_id, duty.category, duty.level, area_id, duty.owner, duty.polygon)
        held = {
            "border_id": borders[duty.polygon] if duty.polygon else None,
            "valid_from": duty.valid_from,
            "valid_to": duty.valid_to,
        }
        row = known.get(key)
        if row is None:
            fresh[key] = key._asdict() | held
        elif all(getattr(row, name) == value for name, value in held.items()):
            unchanged.add(key)
        else:
            if row.border_id is not None and row.border_id != held["border_id"]:
                redrawn.add(row.border_id)
            for name, value in held.items():
                setattr(row, name, value)
            changed.add(key)
    if fresh:
        work.session.execute(insert(Duty), list(fresh.values()))
    if redrawn:
        work.session.flush()  # the duties name their new borders before the old ones go
        drop_unused(work, (), redrawn)
    if people.added or people.changed or fresh or changed:
        bump_revision(work, "duties")
    return UnitsWritten(people.added, people.changed, len(fresh), len(changed), len(unchanged - changed))


class _Key(NamedTuple):
    """By what a line of the duty table is known again."""

    unit_id: int
    category: str
    level: str
    area_id: int | None
    owner: str
    polygon: str


def _all(work: Work) -> Sequence[Duty]:
    return work.session.scalars(select(Duty)).all()


def _borders(work: Work, duties: Sequence[DutyData], polygons: Mapping[str, BaseGeometry]) -> dict[str, int]:
    named = {duty.polygon for duty in duties if duty.polygon}
    missing = sorted(named - polygons.keys())
    if missing:
        raise InvalidInput("unknown_polygon", f"There is no polygon {', '.join(missing[:10])}.")
    return put_polygons(work, {name: polygons[name] for name in named}) if named else {}


def _areas(work: Work, levels: Levels, duties: Sequence[DutyData]) -> dict[tuple[str, str], int]:
    wanted: dict[str, set[str]] = {}
    for duty in duties:
        if duty.area_code:
            wanted.setdefault(levels.get(duty.level).code, set()).add(duty.area_code)
    found: dict[tuple[str, str], int] = {}
    for level, codes in wanted.items():
        there = queries.list_areas_of_codes(work, level, sorted(codes))
        missing = sorted(codes - there.keys())
        if missing:
            raise InvalidInput("unknown_area", f"There is no {level} {', '.join(missing[:10])}.")
        found.update({(level, code): area_id for code, area_id in there.items()})
    return found


def import_units(
    store: Store,
    levels: Levels,
    categories: Categories,
    actor: Actor,
    path: Path,
    options: UnitImportOptions | None = None,
) -> UnitsReport:
    """Import a file of units, a line per duty (a line without category is a unit alone), in one transaction.

    Raises `InvalidInput` with the code `units_refused` when rows are bad; the report is in `detail["report"]`.
    """
    require(actor, "unit.import")
    options = options or UnitImportOptions()
    sheet = _read(levels, categories, path, options)
    with store.read() as work:
        _check_areas(work, sheet)
        _check_names(sheet)
    polygons, warnings = _check_polygons(store, sheet, options.polygons)
    report = UnitsReport(
        file_format=sheet.file_format,
        encoding=sheet.encoding,
        read=len(sheet.rows),
        refused=len(sheet.problems),
        problems=tuple(problem for found in sheet.problems.values() for problem in found),
        errors=sheet.write_errors(options.errors),
        written=None,
        warnings=warnings,
    )
    if sheet.problems and not options.skip_refused:
        raise _refused(report)
    good = [number for number in sheet.units if number not in sheet.problems]
    if options.dry_run or not good:
        return report
    duties = [sheet.duties[number] for number in good if number in sheet.duties]
    with store.write() as work:
        written = put_units(work, levels, actor, [sheet.units[number] for number in good], duties, polygons)
    return replace(report, written=written)


@dataclass
class _Sheet:
    file_format: str
    encoding: str
    names: tuple[str, ...]
    rows: list[TableRow] = field(default_factory=list)
    units: dict[int, UnitData] = field(default_factory=dict)
    duties: dict[int, DutyData] = field(default_factory=dict)
    problems: dict[int, list[CellProblem]] = field(default_factory=dict)

    def note(self, row: int, column: str, message: str) -> None:
        self.problems.setdefault(row, []).append(CellProblem(row, column, message))

    def write_errors(self, path: Path | None) -> Path | None:
        if path is None or not self.problems:
            return None
        bad = [row for row in self.rows if row.number in self.problems]
        write_error_workbook(path, self.names, bad, self.problems)
        return path


def _read(levels: Levels, categories: Categories, path: Path, options: UnitImportOptions) -> _Sheet:
    known = tuple(category.code for category in categories)
    with open_table(path, COLUMNS, chosen=options.columns, sheet=options.sheet) as table:
        sheet = _Sheet(table.file_format, table.encoding, table.header.names)
        for row in table.rows:
            sheet.rows.append(row)
            reader = RowReader(row)
            unit = UnitData(
                code=reader.code("unit_code", required=True),
                name=reader.text("unit_name", required=True, most=200),
                phone=reader.phone("phone") or None,
                kind=reader.text("kind", most=100) or None,
            )
            duty = _read_duty(levels, reader, known.__contains__, known)
            if reader.problems:
                sheet.problems[row.number] = reader.problems
                continue
            sheet.units[row.number] = unit
            if duty is not None:
                sheet.duties[row.number] = duty
    return sheet


def _read_duty(
    levels: Levels, reader: RowReader, is_known: Callable[[str], bool], known: Sequence[str]
) -> DutyData | None:
    category = reader.code("category")
    everything = category.casefold() in ANY_CATEGORY
    level = read_level(levels, reader, required=False)
    area_code = reader.code("area_code")
    owner = reader.text("owner", most=200)
    polygon = reader.text("polygon", most=200)
    begin, end = reader.day("from"), reader.day("to")
    if not category:
        if level or area_code or owner or polygon:
            reader.note("category", f"is empty; write a code, the beginning of one, or {ANY_CATEGORY[0]} for all")
        return None
    if not everything and not is_known(category) and not any(code.startswith(category) for code in known):
        reader.note("category", f"no category begins with {category}")
    if area_code and not level:
        reader.note("level", "an area is named without its level")
    if begin and end and end < begin:
        reader.note("to", f"ends on {end}, before it begins on {begin}")
    unit = reader.code("unit_code")
    return DutyData(unit, "" if everything else category, level, area_code, owner, polygon, begin, end)


def _check_areas(work: Work, sheet: _Sheet) -> None:
    wanted: dict[str, set[str]] = {}
    for duty in sheet.duties.values():
        if duty.area_code:
            wanted.setdefault(duty.level, set()).add(duty.area_code)
    there = {level: queries.list_areas_of_codes(work, level, sorted(codes)) for level, codes in wanted.items()}
    for number, duty in sheet.duties.items():
        if duty.area_code and duty.area_code not in there[duty.level]:
            sheet.note(number, "area_code", f"there is no {duty.level} {duty.area_code}")


def _check_polygons(
    store: Store, sheet: _Sheet, source: PolygonFile | None
) -> tuple[Mapping[str, BaseGeometry], tuple[str, ...]]:
    """Read the polygons that the rows name, and note the rows that name one which cannot be had."""
    named = {number: duty.polygon for number, duty in sheet.duties.items() if duty.polygon}
    if not named:
        return {}, ()
    if source is None:
        for number, name in named.items():
            sheet.note(number, "polygon", f"names {name!r}, and no file of polygons was given; name it by --polygons")
        return {}, ()
    read = read_polygons(store, source, set(named.values()))
    for number, name in named.items():
        if name in read.faults:
            sheet.note(number, "polygon", read.faults[name])
    return read.found, read.warnings


def _check_names(sheet: _Sheet) -> None:
    names: dict[str, str] = {}
    for number, unit in sheet.units.items():
        if names.setdefault(unit.code, unit.name) != unit.name:
            sheet.note(number, "unit_name", f"{unit.code} stands for {names[unit.code]} and for {unit.name}")


def _refused(report: UnitsReport) -> InvalidInput:
    first = report.problems[0]
    where = f" The error workbook is {report.errors}." if report.errors else ""
    return InvalidInput(
        "units_refused",
        f"{report.refused} of {report.read} rows cannot be taken. The first: row {first.row}, {first.column} "
        f"{first.message}.{where}",
        hint="Nothing was imported. Correct the rows, or take the good ones by --skip-refused.",
        detail={"report": report},
    )
