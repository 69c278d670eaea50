"""The briefing as a Word file: one A4 page in the manner of official papers (GB/T 9704), edited before it is signed.

Fonts are named, not embedded: 方正小标宋简体, 黑体, 楷体_GB2312, 仿宋_GB2312, as offices have them; another machine's
Word puts its own in their place.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from mapsvc.insight.service.briefing.content import MAIN, NOTES, Briefing, interval_text, per_cent, short_formula
from mapsvc.insight.service.briefing.picture import draw_map, png_of

TITLE, HEAD, KAI, BODY = "方正小标宋简体", "黑体", "楷体_GB2312", "仿宋_GB2312"
RED = RGBColor(0xC0, 0x00, 0x00)
LINE_PT = 20
PARTS_SHOWN = 12


def write_docx(briefing: Briefing, font: Path) -> bytes:
    """Return the bytes of the Word file; `font` writes the names on its map."""
    document = Document()
    _set_page(document)
    _set_styles(document)
    _head(document, briefing)
    _body(document, briefing, font)
    _set_properties(document, briefing)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _set_page(document: Any) -> None:
    """A4 with the margins of official papers, narrower at the foot so that one page holds it all."""
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(22), Mm(18)
    section.left_margin, section.right_margin = Mm(26), Mm(24)
    section.footer_distance = Mm(10)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _write(foot, "— ", "宋体", 12)
    _add_field(foot, "PAGE")
    _write(foot, " —", "宋体", 12)


def _set_styles(document: Any) -> None:
    for name, font, size, bold in (
        ("Normal", BODY, 12, False),
        ("Title", TITLE, 18, False),
        ("Heading 1", HEAD, 13, False),
    ):
        style = document.styles[name]
        style.font.size, style.font.bold = Pt(size), bold
        style.font.color.rgb = RGBColor(0, 0, 0)
        _name_font(style.element.get_or_add_rPr(), font)
        shape = style.paragraph_format
        shape.space_before = shape.space_after = Pt(0)
        shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(LINE_PT if name != "Title" else 30)
        shape.keep_with_next = name != "Normal"
        for border in style.element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)


def _name_font(properties: Any, font: str) -> None:
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), font)
    for face in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{face}"), "Times New Roman")


def _write(
    paragraph: Any, text: str, font: str = "", size: float = 0, *, bold: bool = False, colour: Any = None
) -> Any:
    run = paragraph.add_run(text)
    run.bold = bold or None
    if font:
        _name_font(run._element.get_or_add_rPr(), font)
    if size:
        run.font.size = Pt(size)
    if colour is not None:
        run.font.color.rgb = colour
    return run


def _add_field(paragraph: Any, name: str) -> None:
    run = _write(paragraph, "", "宋体", 12)
    for kind, text in (("begin", ""), ("", name), ("end", "")):
        if kind:
            part = OxmlElement("w:fldChar")
            part.set(qn("w:fldCharType"), kind)
        else:
            part = OxmlElement("w:instrText")
            part.text = text
        run._element.append(part)


def _head(document: Any, briefing: Briefing) -> None:
    """The office in red, the number to be filled in, a red line, the title."""
    marking = document.add_paragraph()
    _write(marking, briefing.marking, HEAD, 12)
    office = document.add_paragraph()
    office.alignment = WD_ALIGN_PARAGRAPH.CENTER
    office.paragraph_format.line_spacing = Pt(34)
    _write(office, briefing.office, TITLE, 24, colour=RED)
    number = document.add_paragraph()
    number.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _write(number, f"通报〔{briefing.window.last.year}〕    号", KAI, 12)
    _rule(number)
    title = document.add_paragraph(briefing.title, style="Title")
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.space_before, title.paragraph_format.space_after = Pt(8), Pt(4)


def _rule(paragraph: Any) -> None:
    borders = OxmlElement("w:pBdr")
    line = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", "C00000")):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    paragraph._element.get_or_add_pPr().append(borders)


def _body(document: Any, briefing: Briefing, font: Path) -> None:
    document.add_paragraph("一、总体情况", style="Heading 1").paragraph_format.first_line_indent = Pt(26)
    for text in _sentences(briefing):
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.first_line_indent = Pt(24)
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        _write(paragraph, text)
    document.add_paragraph("二、主要指标", style="Heading 1").paragraph_format.first_line_indent = Pt(26)
    _rates(document, briefing)
    if briefing.parts:
        heading = document.add_paragraph(f"三、分{briefing.level_name}情况", style="Heading 1")
        heading.paragraph_format.first_line_indent = Pt(26)
        heading.paragraph_format.space_before = Pt(4)
        _parts(document, briefing, font)
    _notes(document, briefing)


def _sentences(briefing: Briefing) -> list[str]:
    tally, rates = briefing.tally, briefing.rates
    on_time, instant = rates["on_time"], rates["instant"]
    found = [
        f"{briefing.window_text}共受理案件{tally.received}件，其中已办结{tally.closed}件，未到期在办{tally.in_time}件，"
        f"超期在办{tally.overdue}件（数据截至{briefing.as_of_text}）。"
    ]
    if on_time.n:
        found[0] += (
            f"本期到期应结案{on_time.n}件，按期结案{on_time.numerator}件，按期结案率{per_cent(on_time.share)}"
            f"（95%置信区间{interval_text(on_time)}）。"
        )
    if instant.n:
        found[0] += (
            f"巡查发现并可当场整改的问题{instant.n}件，即查即改{instant.numerator}件，即查即改率{per_cent(instant.share)}。"
        )
    if briefing.categories:
        told = "、".join(f"{name}{count}件" for name, count in briefing.categories[:3])
        found.append(f"受理较多的问题类别：{told}。")
    late = "、".join(f"{line.number}" for line in briefing.oldest[:3])
    if late:
        found[-1] += f"超期时间最长的案件：{late}。"
    if briefing.vacant:
        more = "等" if len(briefing.vacant) > 3 else ""
        found.append(f"责任人空缺：{'、'.join(briefing.vacant[:3])}{more}，请尽快补齐。")
    return found


def _rates(document: Any, briefing: Briefing) -> None:
    rows = [("指标", "比率", "分子/分母", "95%置信区间", "计算公式")]
    for name in MAIN:
        rate = briefing.rates[name]
        share = per_cent(rate.share) if rate.n else NOTES[rate.standing]
        note = "*" if rate.standing == "few" else ""
        rows.append(
            (rate.formula.zh, f"{share}{note}", f"{rate.numerator}/{rate.n}", interval_text(rate), short_formula(name))
        )
    _table(document, rows, (24, 22, 20, 30, 64), size=9.5, small_last=True)


def _parts(document: Any, briefing: Briefing, font: Path) -> None:
    """A table beside the map, in a table without lines."""
    frame = document.add_table(rows=1, cols=2)
    frame.alignment = WD_TABLE_ALIGNMENT.CENTER
    frame.autofit = False
    left, right = frame.rows[0].cells
    for column, cell, width in zip(frame.columns, (left, right), (84, 76), strict=True):
        column.width = cell.width = Mm(width)
    rows = [(briefing.level_name, "受理", "按期/应结", "按期结案率")]
    for line in briefing.parts[:PARTS_SHOWN]:
        few = "*" if line.rate.standing == "few" else ""
        rate = line.rate
        rows.append((line.name, str(line.received), f"{rate.numerator}/{rate.n}", f"{per_cent(rate.share)}{few}"))
    if len(briefing.parts) > PARTS_SHOWN:
        rows.append((f"其余{len(briefing.parts) - PARTS_SHOWN}个见附表", "", "", ""))
    _table(left, rows, (29, 13, 18, 22), size=9)
    _drop_first_paragraph(left)
    picture = right.paragraphs[0]
    picture.alignment = WD_ALIGN_PARAGRAPH.CENTER
    picture.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    image = draw_map(briefing.on_map, 900, 640, font, 24)
    shape = picture.add_run().add_picture(io.BytesIO(png_of(image)), width=Mm(74))
    shape._inline.docPr.set("descr", f"{briefing.area_name}各{briefing.map_level_name}受理件数图，不含个人信息")
    told = right.add_paragraph()
    told.alignment = WD_ALIGN_PARAGRAPH.CENTER
    told.paragraph_format.line_spacing = Pt(12)
    caption = " ".join(part for part in (briefing.caption, briefing.marking) if part)
    _write(told, f"各{briefing.map_level_name}受理件数（越深越多） {caption}", size=8)


def _drop_first_paragraph(cell: Any) -> None:
    """A cell begins with an empty paragraph, which would stand above the table in it; one must follow it."""
    first = cell.paragraphs[0]._element
    first.getparent().remove(first)
    last = cell.add_paragraph()
    last.paragraph_format.line_spacing = Pt(2)


def _table(
    parent: Any, rows: Sequence[tuple[str, ...]], widths_mm: tuple[int, ...], *, size: float, small_last: bool = False
) -> None:
    table = parent.add_table(rows=0, cols=len(widths_mm))
    if hasattr(parent, "styles"):
        table.style = "Table Grid"
    else:
        _grid(table)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)  # the grid that other programs than Word go by
    for number, values in enumerate(rows):
        cells = table.add_row().cells
        for at, (cell, text, width) in enumerate(zip(cells, values, widths_mm, strict=True)):
            cell.width = Mm(width)
            paragraph = cell.paragraphs[0]
            last = small_last and at == len(widths_mm) - 1
            centred = number == 0 or not (at == 0 or last)
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centred else WD_ALIGN_PARAGRAPH.LEFT
            paragraph.paragraph_format.line_spacing = Pt(size + (2.5 if last and number else 4.5))
            _write(paragraph, text, HEAD if number == 0 else "", size - 1.5 if last and number else size)
        if number == 0:
            repeat = OxmlElement("w:tblHeader")
            repeat.set(qn("w:val"), "true")
            table.rows[0]._tr.get_or_add_trPr().append(repeat)


def _grid(table: Any) -> None:
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        line = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "000000")):
            line.set(qn(f"w:{name}"), value)
        borders.append(line)
    table._tbl.tblPr.append(borders)


def _notes(document: Any, briefing: Briefing) -> None:
    printed = ""
    if briefing.frozen is not None:
        printed = "本月数字已于首次印发时固定。"
    text = (
        f"注：统计期{briefing.window.first}至{briefing.window.last}。应结案指处置时限在统计期内届满的案件，不含挂账、不予立案、"
        f"重复和非本级职责；超期结案不算按期。办结占受理{per_cent(briefing.tally.closed_of_received, 2)}不是整改率。"
        f"带*的分母不足20件，数量少，仅供参考。各辖区按编码排列，不作排名。{printed}案件明细和全部指标见Excel底表。"
    )
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.line_spacing = Pt(12)
    paragraph.paragraph_format.space_before = Pt(4)
    _write(paragraph, text, size=8.5)
    sign = document.add_paragraph()
    sign.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _write(sign, f"{briefing.office}　{briefing.as_of_text.split('日', maxsplit=1)[0]}日")


def _set_properties(document: Any, briefing: Briefing) -> None:
    """Say what the file is; who printed it is on the record, not in the file."""
    document.core_properties.title = briefing.title
    document.core_properties.author = briefing.office
    document.core_properties.last_modified_by = ""
    document.core_properties.comments = briefing.marking
    document.core_properties.language = "zh-CN"
