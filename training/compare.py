"""Put what `evaluate` wrote of several models into one table, in Markdown."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from backend.errors import SoliloquyError

# Columns: lip error, upper-face dynamics, variety, closing lips, smoothness.
SHOWN = ("LVE", "LVE root", "lip error", "lip error, largest", "FDD", "FDD abs", "EVE",
         "diversity", "upper diversity", "aperture r", "closure", "onset lag", "jitter",
         "codes used")  # fmt: skip
OF_TRUTH = ", truth"


class CompareError(SoliloquyError):
    """An evaluation is missing, damaged, or was not taken as the others were."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("compare", message, hint)


class System(NamedTuple):
    """One line of the table: figures by name, each {value, unit, mask, weight}."""

    title: str
    figures: dict[str, dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("works", type=Path, nargs="+", metavar="WORK",
                        help="working folders that were evaluated, or JSON files of evaluate")
    parser.add_argument("--out", type=Path, help="the table's file (default: print it)")


def run(args: argparse.Namespace) -> None:
    """Write the table; raises CompareError."""
    systems = [system for work in args.works for system in read(work)]
    text = table(systems)
    if args.out is None:
        print(text, end="")
        return
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text, encoding="utf-8")


def read(work: Path) -> list[System]:
    """The rows of one evaluation; raises CompareError."""
    path = work / "evaluation.json" if work.is_dir() else work
    try:
        rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}"
        raise CompareError(message, "run: python -m training evaluate") from error
    name = work.name if work.is_dir() else work.stem
    return [System(f"{name}: {row}", figures) for row, figures in rows.items()]


def table(systems: Sequence[System]) -> str:
    """Systems as a Markdown table under the ground truth's line; raises CompareError."""
    check_alike(systems)
    kinds = {name: figure for system in systems for name, figure in system.figures.items()}
    shown = [name for name in SHOWN if name in kinds]
    truth = System("ground truth", _of_truth(kinds))
    head = [f"{name} ({kinds[name]['unit']})" if kinds[name]["unit"] else name for name in shown]
    lines = [["system", *head], ["---"] * (1 + len(shown))]
    lines += [[each.title, *(_cell(each, name) for name in shown)] for each in (truth, *systems)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{body}\n\n{_measured_on(kinds, shown)}\n"


def check_alike(systems: Sequence[System]) -> None:
    """Refuse figures of other masks or other clips than the first's; raises CompareError."""
    first: dict[str, tuple[str, Any]] = {}
    for title, figures in systems:
        for name, figure in figures.items():
            taken = (title, (figure["mask"], figure["weight"]))
            before = first.setdefault(name, taken)
            # Openings are only found where a model opens: their number is the model's own.
            if name != "onset lag" and before[1] != taken[1]:
                message = f"{name} of {title} is on {taken[1]}, of {before[0]} on {before[1]}"
                raise CompareError(message, "evaluate both on the same clips and masks")


def _of_truth(kinds: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name.removesuffix(OF_TRUTH): figure for name, figure in kinds.items()
            if name.endswith(OF_TRUTH)}  # fmt: skip


def _cell(system: System, name: str) -> str:
    value = system.figures.get(name, {}).get("value")
    return "" if value is None else f"{value:.4g}"


def _measured_on(kinds: dict[str, dict[str, Any]], shown: Sequence[str]) -> str:
    masks = [f"{name} on {kinds[name]['mask']}" for name in shown if kinds[name]["mask"]]
    return f"Measured: {'; '.join(masks)}."
