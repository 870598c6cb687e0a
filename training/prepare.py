"""Check a data set, and make it a plain folder to train on.

Own captures (motion/, wav/, templates/) by default; --layout reads a published set instead. Says
what is missing or faulty, one line each. docs/datasets.md describes every layout.
"""

import argparse
import sys
from pathlib import Path

from backend.errors import RequestError

from .datasets import layouts, mead, plain
from .datasets.captures import Source
from .datasets.dataset import Clip, Dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_dataset_arguments(parser)
    parser.add_argument("--out", type=Path, help="the plain folder to write; else only check")


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what says which data set, for every command that reads one."""
    parser.add_argument("folder", type=Path, help="the data set")
    parser.add_argument("--layout", choices=layouts.READERS, default="captures")
    parser.add_argument("--fps", type=float, help="captures: the frame rate (Alembic says its own)")
    parser.add_argument("--up", choices=("y", "z"), default="y", help="captures: the axis up")
    parser.add_argument("--topology", default="own", help="captures: a name for the mesh")
    parser.add_argument("--metres-per-unit", type=float, default=1.0, help="captures: the scale")
    parser.add_argument("--flame", type=Path, help="3D-MEAD's parameters: FLAME's model file")
    parser.add_argument("--sounds", type=Path, help="EMOTE's reconstructions: the sounds' folder")
    parser.add_argument("--split", choices=mead.SPLIT_RULES, default="sentence", help="3D-MEAD")


def run(args: argparse.Namespace) -> None:
    """Read, report, and write if asked; raises RequestError when no clip can be used."""
    dataset = read(args)
    if args.out is not None:
        _write(dataset, args.out)


def read(args: argparse.Namespace) -> Dataset:
    """Read a data set and print what is missing; raises RequestError when no clip can be used."""
    dataset = layouts.read(args.layout, args.folder, _options(args))
    print("\n".join(dataset.summary()))
    if not dataset.clips:
        hint = "The lines above say why; docs/datasets.md shows what goes where."
        raise RequestError("no_clips", f"{args.folder} has no clip that can be used.", hint)
    return dataset


def _options(args: argparse.Namespace) -> layouts.Options:
    positive = {"--fps": args.fps, "--metres-per-unit": args.metres_per_unit}
    for name, value in positive.items():
        if value is not None and not 0 < value < 10000:
            raise RequestError("bad_number", f"{name} is {value:g}.", "It must be above 0.")
    captures = Source(args.fps, args.up == "z", args.topology, args.metres_per_unit)
    return layouts.Options(args.flame, args.sounds, args.split, captures)


def _write(dataset: Dataset, out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise RequestError("not_empty", f"{out} is not empty.", "Give --out a new folder.")
    failed = plain.write_from(dataset, out, _say)
    for fault in failed:
        print(f"left out: {fault}")
    print(f"{out}: {len(dataset.clips) - len(failed)} clips written")


def _say(clip: Clip) -> None:
    print(f"wrote {clip.id}", file=sys.stderr)
