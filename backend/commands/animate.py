"""Animate one sound file into motion.npz."""

import argparse
import re
import sys
from pathlib import Path

from .. import emotions, pack
from ..errors import PackError, RequestError
from ..messages import Generate, Redo
from ..pipeline import Generator, OnProgress, silent_progress, take_paths
from ..sessions import DEVICES, choose_device

_REDO = re.compile(r"(?P<motion>.+)@(?P<start>[0-9.]+)-(?P<end>[0-9.]+)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sound, where to write, and how to perform it."""
    parser.add_argument("audio", type=Path, help="a WAV, FLAC, OGG or MP3 file")
    parser.add_argument("--out", type=Path, required=True, metavar="MOTION.npz",
                        help="with several takes motion.npz becomes motion_take1.npz, "
                        "motion_take2.npz, ...")
    parser.add_argument("--takes", type=int, default=1, metavar="N",
                        help="performances to make; take k uses seed + k, counted from 0")
    add_performance_arguments(parser)
    parser.add_argument("--redo", type=redo, metavar="MOTION.npz@START-END",
                        help="make only these seconds of an earlier motion of this sound again, "
                        "with another seed, say, and keep the rest")
    parser.add_argument("--emotion", action="append", default=[], type=emotions.parse,
                        metavar="NAME[:0..1.5][@START-END]",
                        help="an emotion, its intensity, and its seconds; may be repeated, and "
                        "overrules what is heard in the voice")


def add_performance_arguments(parser: argparse.ArgumentParser) -> None:
    """What animate and batch share."""
    parser.add_argument("--model", metavar="PACK",
                        help="a shipped pack's name, a pack folder or its .zip; the first "
                        "installed one if not given")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--steps", type=int, metavar="N", help="sampling steps; fewer are faster")
    parser.add_argument("--style", metavar="NAME[:PART][,...]", help="a speaking style of the "
                        "model, or a blend such as Even:0.7,Crisp:0.3")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless it fails")


def run(options: argparse.Namespace) -> int:
    """Animate; returns 0."""
    paths = take_paths(options.out, options.takes)
    job = Generate("", str(options.audio), "", "", options.seed, options.steps, options.style,
                   options.takes, emotions=tuple(options.emotion), redo=options.redo)
    generator = open_generator(options)
    done = generator.run(job, paths, reporter(options.quiet))
    if not options.quiet:
        for path in done.paths:
            print(path)
        print(f"Done in {done.seconds:.2f} s on {generator.device.note}.", file=sys.stderr)
    return 0


def open_generator(options: argparse.Namespace) -> Generator:
    """The chosen model on the chosen device; raises SoliloquyError."""
    model = options.model or first_installed()
    return Generator(pack.load(pack.find(model)), choose_device(options.device))


def first_installed() -> Path:
    """The first pack in the model folders; raises PackError when there is none."""
    for path in pack.installed():
        return path
    raise PackError("pack_unknown", "No model is installed.", "Name one with --model.")


def reporter(quiet: bool) -> OnProgress:
    """Progress for people: one line on stderr that is written over, where stderr is a terminal."""
    if quiet or not sys.stderr.isatty():
        return silent_progress

    def report(stage: str, done: int, total: int) -> None:
        end = "\n" if stage == "write" and done == total else ""
        sys.stderr.write(f"\r{stage} {100 * done // total} %".ljust(20) + end)
        sys.stderr.flush()

    return report


def redo(text: str) -> Redo:
    """MOTION.npz@START-END as a range of a motion file; raises RequestError."""
    match = _REDO.fullmatch(text)
    try:
        if not match:
            raise ValueError
        return Redo(match["motion"], float(match["start"]), float(match["end"]))
    except ValueError as problem:
        raise RequestError("bad_redo", f"The range '{text}' is not understood.",
                           "Write it as MOTION.npz@1.2-3.4 (seconds).") from problem
