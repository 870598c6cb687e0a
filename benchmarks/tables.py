"""Figures as JSON and as Markdown tables."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Row = dict[str, str | float | None]


class Section(NamedTuple):
    """A table: rows with the same columns, and what a reader must know of it."""

    name: str
    title: str
    rows: list[Row]
    note: str


def write(sections: Sequence[Section], folder: Path, name: str) -> str:
    """Write FOLDER/NAME.json and FOLDER/NAME.md; returns the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {s.name: {"note": s.note, "rows": [plain(row) for row in s.rows]} for s in sections}
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    tables = "\n".join(markdown(section) for section in sections)
    (folder / f"{name}.md").write_text(tables, encoding="utf-8")
    return tables


def plain(row: Mapping[str, str | float | None]) -> Row:
    """A row as JSON has it, NaN as null."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def markdown(section: Section) -> str:
    """A heading, the note and the table."""
    columns = list(section.rows[0]) if section.rows else []
    lines = [f"## {section.title}", ""]
    lines += [section.note, ""] if section.note else []
    lines += [_line(columns), _line(["---"] * len(columns))] if columns else ["nothing to measure"]
    lines += [_line([shown(row.get(name)) for name in columns]) for row in section.rows]
    return "\n".join([*lines, ""])


def shown(value: str | float | None) -> str:
    """A cell: three digits after the point below 10, one above; a dash for what is not known."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
