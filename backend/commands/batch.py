"""Animate every sound in a CSV list, going on where one fails.

The list has the columns audio[,out,style,seed]; a sound is looked up beside the list, a result
goes into the output folder, named after its sound unless `out` says otherwise.
"""

import argparse
import csv
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import Cancelled, RequestError, SoliloquyError
from ..messages import Generate
from .animate import add_performance_arguments, open_generator, reporter

_COLUMNS = ("audio", "out", "style", "seed")


@dataclass(frozen=True)
class Row:
    """One line of the list: what to animate, where to, and how."""

    audio: Path
    out: Path
    style: str | None
    seed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The list, the folder for results, and how to perform."""
    parser.add_argument("list", type=Path, metavar="LIST.csv",
                        help="columns audio[,out,style,seed]; sounds are looked up beside the list")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    add_performance_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Animate all rows; returns 0, or 2 when some failed, which are then listed on stderr."""
    rows = read_rows(options.list, options.out, options.style, options.seed)
    generator = open_generator(options)
    failures = []
    for row in rows:
        job = Generate("", str(row.audio), "", "", row.seed, options.steps, row.style)
        try:
            generator.run(job, [row.out], reporter(True))
        except Cancelled:
            raise
        except SoliloquyError as problem:
            failures.append(str(problem))
        else:
            if not options.quiet:
                print(row.out)
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(rows)} sounds failed.", file=sys.stderr)
    return 2 if failures else 0


def read_rows(path: Path, out: Path, style: str | None, seed: int) -> list[Row]:
    """The list's rows, where `style` and `seed` stand in for empty cells; raises RequestError on a
    list that cannot be read or whose results would overwrite each other."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            table = [(reader.line_num, cells) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise _bad(path, f"cannot be read: {problem}") from problem
    if not table:
        raise _bad(path, "has no rows")
    rows = {number: _row(path, number, cells, out, style, seed) for number, cells in table}
    _check_distinct(path, rows)
    return list(rows.values())


def _row(path: Path, number: int, cells: dict[str, str], out: Path, style: str | None,
         seed: int) -> Row:
    unknown = [str(name) for name in cells if name not in _COLUMNS]
    if unknown or not cells.get("audio"):
        what = f"has an unknown column '{unknown[0]}'" if unknown else "names no audio"
        raise _bad(path, f"line {number} {what}")
    audio = path.parent / cells["audio"]
    place = out / (cells.get("out") or f"{audio.stem}.npz")
    try:
        own_seed = int(cells.get("seed") or seed)
    except ValueError as problem:
        raise _bad(path, f"line {number} has the seed '{cells['seed']}'") from problem
    return Row(audio, place, cells.get("style") or style, own_seed)


def _check_distinct(path: Path, rows: Mapping[int, Row]) -> None:
    """Refuse two lines that write one file, whatever they call it; raises RequestError."""
    lines: dict[str, int] = {}
    for number, row in rows.items():
        first = lines.setdefault(os.path.normcase(os.path.realpath(row.out)), number)
        if first != number:
            raise _bad(path, f"lines {first} and {number} would both write '{row.out}'")


def _bad(path: Path, what: str) -> RequestError:
    return RequestError("bad_list", f"The list '{path}' {what}.",
                        f"Its columns are {', '.join(_COLUMNS)}; only audio must be filled.")
