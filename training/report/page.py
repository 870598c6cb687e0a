"""The report as one HTML file that needs nothing beside it: its pictures lie inside."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from ..metrics import Figure
from . import published

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.note { color: #555; font-size: .9rem; } img { max-width: 100%; }
table { border-collapse: collapse; font-size: .88rem; margin: .5rem 0 1rem; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #ddd;
         vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.ours td { font-weight: 600; }
figure { margin: 1rem 0; } figcaption { color: #555; font-size: .85rem; }
"""
HEADINGS = ("system", "LVE", "FDD", "EVE", "MVE", "Diversity")


class Picture(NamedTuple):
    """A PNG beside the page, and what it shows."""

    path: Path
    caption: str


class Section(NamedTuple):
    """A heading, a paragraph, and ready HTML or pictures below."""

    title: str
    note: str
    html: str = ""
    pictures: Sequence[Picture] = ()


def write(path: Path, title: str, note: str, sections: Sequence[Section]) -> None:
    """Write the page."""
    body = "".join(_section(section) for section in sections)
    head = f"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>{escape(title)}</title>"
    intro = f"<h1>{escape(title)}</h1>\n<p class=note>{escape(note)}</p>"
    text = f"{head}\n<style>{STYLE}</style>\n{intro}\n{body}</html>\n"
    path.write_text(text, encoding="utf-8")


def _section(section: Section) -> str:
    pictures = "".join(_picture(picture) for picture in section.pictures)
    note = f"<p class=note>{escape(section.note)}</p>\n"
    return f"<h2>{escape(section.title)}</h2>\n{note}{section.html}{pictures}"


def _picture(picture: Picture) -> str:
    code = base64.b64encode(picture.path.read_bytes()).decode("ascii")
    caption = escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{code}">'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], ours: int | None = None) -> str:
    """An HTML table whose number columns are set right; row ``ours`` stands out."""
    numbers = [all(_is_number(row[k]) for row in rows) for k in range(len(headings))]
    lines = [_row("th", headings, numbers)]
    for number, row in enumerate(rows):
        lines.append(_row("td", row, numbers, " class=ours" if number == ours else ""))
    return "<table>\n" + "\n".join(lines) + "\n</table>\n"


def _is_number(cell: str) -> bool:
    try:
        float(cell or "0")
    except ValueError:
        return False
    return True


def _row(tag: str, cells: Sequence[str], numbers: Sequence[bool], kind: str = "") -> str:
    inner = "".join(
        f"<{tag}{' class=n' if number else ''}>{escape(cell)}</{tag}>"
        for cell, number in zip(cells, numbers, strict=True)
    )
    return f"<tr{kind}>{inner}</tr>"


def figure_table(figures: Sequence[Figure]) -> str:
    """Every figure with its unit and mask."""
    rows = [(f.name, f"{f.value:.4g}", f.unit, f.mask) for f in figures]
    return table(("figure", "value", "unit", "mask"), rows)


def published_tables(system: str, figures: Sequence[Figure]) -> str:
    """Ours first, in m^2 and mm; then each paper's table under its own data and units."""
    found = {figure.name: figure for figure in figures}
    own = tuple(_shown(found, name) for name in
                ("LVE", "FDD", "EVE", "MVE mean_l2_sq", "diversity"))  # fmt: skip
    parts = [_titled("this evaluation", published.OUR_DATA,
                     "MVE is mean_l2_sq. Nothing below was measured on this data.",
                     table(HEADINGS, [(system, *own)], ours=0))]  # fmt: skip
    for each in published.TABLES:
        rows = [(r.system, r.lve, r.fdd, r.eve, r.mve, r.diversity) for r in each.rows]
        parts.append(_titled(each.source, each.data, each.units, table(HEADINGS, rows)))
    return "".join(parts)


def _shown(found: dict[str, Figure], name: str) -> str:
    figure = found.get(name)
    return f"{figure.value:.3g} {figure.unit}, {figure.mask}" if figure else ""


def _titled(source: str, data: str, units: str, inner: str) -> str:
    title = f"<p><b>{escape(source)}</b>. Data: {escape(data)}.<br>"
    return f"{title}<span class=note>{escape(units)}</span></p>\n{inner}"
