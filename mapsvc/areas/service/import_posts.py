"""Posts from a workbook or CSV file; what cannot be read comes back as a workbook with the bad cells marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mapsvc.areas.rules.posts import ROLE_WORDS
from mapsvc.areas.service.posts import PostData, PostsWritten, check_posts, put_posts
from mapsvc.base.errors import InvalidInput
from mapsvc.base.tables.columns import Column
from mapsvc.base.tables.reading import open_table
from mapsvc.base.tables.rows import CellProblem, RowReader, TableRow
from mapsvc.base.tables.writing import write_error_workbook
from mapsvc.catalog import Levels
from mapsvc.people.rules.actor import Actor
from mapsvc.people.rules.permissions import require
from mapsvc.storage.work import Store

COLUMNS = (
    Column("level", ("层级", "级别", "辖区层级"), required=True),
    Column(
        "area_code", ("辖区编码", "辖区代码", "区域编码", "编码", "网格编码", "片区编码", "area", "code"), required=True
    ),
    Column("role", ("岗位", "角色", "职务", "任职")),
    Column("person_code", ("人员编码", "人员编号", "工号", "编号")),
    Column("person", ("姓名", "人员姓名", "责任人", "name"), required=True),
    Column("phone", ("电话", "手机", "手机号", "联系电话", "联系方式", "mobile")),
    Column("public", ("公示", "是否公示")),
    Column("deputy_code", ("AB岗编码", "AB岗编号", "代班人编码", "替岗人编码", "deputy")),
    Column("deputy_name", ("AB岗", "AB岗姓名", "代班人", "替岗人")),
    Column("liaison_code", ("联络员编码", "联络员编号", "liaison")),
    Column("liaison_name", ("联络员", "联络员姓名")),
    Column("document", ("文号", "任命文号", "文件", "依据")),
    Column("from", ("起", "起始日期", "任职日期", "任职起始", "开始日期", "自", "valid_from", "begin")),
    Column("to", ("止", "终止日期", "结束日期", "离任日期", "至", "valid_to", "end")),
)


@dataclass(frozen=True)
class PostImportOptions:
    """`errors`: where the workbook of refused rows goes. `skip_refused`: take the good rows all the same."""

    dry_run: bool = False
    skip_refused: bool = False
    end_previous: bool = False
    errors: Path | None = None
    sheet: str = ""
    columns: Mapping[str, str] | None = None


@dataclass(frozen=True)
class PostsReport:
    """What a file of posts held and what became of it; `written` is None in a dry run or when all was refused."""

    file_format: str
    encoding: str
    read: int
    accepted: int
    refused: int
    problems: tuple[CellProblem, ...]
    errors: Path | None
    written: PostsWritten | None


def import_posts(
    store: Store, levels: Levels, actor: Actor, path: Path, options: PostImportOptions | None = None
) -> PostsReport:
    """Import a file of posts in one transaction, all rows or (`skip_refused`) the good ones.

    Raises `InvalidInput` with the code `posts_refused` when rows are bad; the report is in `detail["report"]`,
    the error workbook written, the store unchanged.
    """
    require(actor, "post.import")
    options = options or PostImportOptions()
    sheet = _read(levels, path, options)
    with store.read() as work:
        numbers = list(sheet.posts)
        given = list(sheet.posts.values())
        for problem in check_posts(work, levels, given, end_previous=options.end_previous):
            sheet.note(
                CellProblem(numbers[problem.index], _COLUMN_OF.get(problem.column, problem.column), problem.message)
            )
    good = [post for number, post in sheet.posts.items() if number not in sheet.problems]
    report = PostsReport(
        file_format=sheet.file_format,
        encoding=sheet.encoding,
        read=len(sheet.rows),
        accepted=len(good),
        refused=len(sheet.problems),
        problems=tuple(problem for found in sheet.problems.values() for problem in found),
        errors=sheet.write_errors(options.errors),
        written=None,
    )
    if sheet.problems and not options.skip_refused:
        raise _refused(report)
    if options.dry_run or not good:
        return report
    with store.write() as work:
        written = put_posts(work, levels, actor, good, end_previous=options.end_previous)
    return replace(report, written=written)


_COLUMN_OF = {"deputy": "deputy_name", "liaison": "liaison_name"}


@dataclass
class Sheet:
    """The rows of a table, the posts that could be read from them, and what is wrong, by row number."""

    file_format: str
    encoding: str
    names: tuple[str, ...]
    rows: list[TableRow] = field(default_factory=list)
    posts: dict[int, PostData] = field(default_factory=dict)
    problems: dict[int, list[CellProblem]] = field(default_factory=dict)

    def note(self, problem: CellProblem) -> None:
        """Note what is wrong with a row."""
        self.problems.setdefault(problem.row, []).append(problem)

    def write_errors(self, path: Path | None) -> Path | None:
        """Write the refused rows to a workbook, where a place is named and there are any."""
        if path is None or not self.problems:
            return None
        bad = [row for row in self.rows if row.number in self.problems]
        write_error_workbook(path, self.names, bad, self.problems)
        return path


def _read(levels: Levels, path: Path, options: PostImportOptions) -> Sheet:
    with open_table(path, COLUMNS, chosen=options.columns, sheet=options.sheet) as table:
        sheet = Sheet(table.file_format, table.encoding, table.header.names)
        has_role = "role" in table.header.places
        for row in table.rows:
            sheet.rows.append(row)
            reader = RowReader(row)
            post = _read_post(levels, reader, has_role=has_role)
            if reader.problems:
                sheet.problems[row.number] = reader.problems
            else:
                sheet.posts[row.number] = post
    return sheet


def _read_post(levels: Levels, reader: RowReader, *, has_role: bool) -> PostData:
    phone = reader.phone("phone")
    return PostData(
        level=read_level(levels, reader),
        area_code=reader.code("area_code", required=True),
        role=_read_role(levels, reader) if has_role else "chief",
        person_code=reader.code("person_code") or phone,
        person=reader.text("person", required=True, most=100),
        phone=phone or None,
        public=reader.flag("public") if reader.row.get("public") is not None else None,
        deputy_code=reader.code("deputy_code"),
        deputy=reader.text("deputy_name", most=100),
        liaison_code=reader.code("liaison_code"),
        liaison=reader.text("liaison_name", most=100),
        document=reader.text("document", most=300),
        valid_from=reader.day("from"),
        valid_to=reader.day("to"),
    )


def read_level(levels: Levels, reader: RowReader, *, required: bool = True) -> str:
    """Read a level by its code or by its name in either tongue."""
    text = reader.text("level", required=required)
    for level in levels:
        if text.casefold() in (level.code, level.en.casefold()) or text in (level.zh, *level.zh.split("/")):
            return level.code
    if text:
        reader.note("level", f"there is no level {text!r}; levels are {', '.join(level.zh for level in levels)}")
    return ""


def _read_role(levels: Levels, reader: RowReader) -> str:
    text = reader.text("role", required=True)
    if text in {level.chief_zh for level in levels if level.chief_zh}:
        return "chief"
    role = ROLE_WORDS.get(text) or ROLE_WORDS.get(text.casefold())
    if role is None and text:
        reader.note("role", f"{text!r} is no role; write chief, acting, deputy, member, or 片区长, 代理, 副职, 成员")
    return role or ""


def _refused(report: PostsReport) -> InvalidInput:
    first = report.problems[0]
    where = f" The error workbook is {report.errors}." if report.errors else ""
    return InvalidInput(
        "posts_refused",
        f"{report.refused} of {report.read} rows cannot be taken. The first: row {first.row}, {first.column} "
        f"{first.message}.{where}",
        hint="Nothing was imported. Correct the rows, or take the good ones by --skip-refused.",
        detail={"report": report},
    )
