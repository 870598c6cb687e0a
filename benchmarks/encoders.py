"""Everything that is measured of the compact speech encoder, as JSON and Markdown.

`python -m benchmarks.encoders --encoder WORK/encoder.pt --corpus WORK/corpus --audio DIR
--alignments DIR --out DIR`; `--only` takes some of the parts.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from backend.errors import SoliloquyError
from benchmarks import languages, quality, resampled, rest, speed, tables, voices
from benchmarks.hearing import Ear
from benchmarks.rest import Range
from benchmarks.tables import Section
from benchmarks.voices import Voice
from training import encoder


class Bench(NamedTuple):
    """What the parts measure, and on what."""

    ear: Ear
    recordings: list[Voice]
    spanned: Range
    corpus: Path
    graph: Path | None

    @property
    def aligned(self) -> list[Voice]:
        """English recordings whose phones are known."""
        return [voice for voice in self.recordings if voice.phones]


PARTS: dict[str, Callable[[Bench], list[Section]]] = {
    "real": lambda b: quality.real(b.ear, b.aligned),
    "synthetic": lambda b: [quality.synthetic(b.ear, voices.held_out(b.corpus))],
    "robustness": lambda b: [quality.robustness(b.ear, b.aligned, b.recordings)],
    "rest": lambda b: [rest.section(b.ear, b.spanned, max(b.aligned, key=lambda v: v.seconds))],
    "resampling": lambda b: [resampled.section(b.ear, b.spanned, b.aligned)],
    "languages": lambda b: [languages.synthetic(b.ear),
                            languages.real(b.ear, b.spanned, b.recordings)],
    "speed": lambda b: [speed.section(b.ear.network, b.graph)],
}  # fmt: skip


def main() -> None:
    """Measure, print the tables, write them to OUT."""
    args = _arguments()
    try:
        bench = _bench(args)
        sections = [section for part in args.only for section in _timed(part, bench)]
    except SoliloquyError as error:
        sys.exit(f"{error.message}: {error.hint}")
    print(tables.write(sections, args.out, "encoders"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the compact speech encoder.")
    parser.add_argument("--encoder", type=Path, required=True, help="WORK/encoder.pt")
    parser.add_argument(
        "--corpus",
        type=Path,
        required=True,
        help="WORK/corpus, made by the recipe studio: its test splits are used",
    )
    parser.add_argument("--audio", type=Path, required=True, help="recordings nobody trained on")
    parser.add_argument(
        "--alignments",
        type=Path,
        required=True,
        help="NAME.json of the recordings' phones, as JSON lines",
    )
    parser.add_argument(
        "--graph",
        type=Path,
        help="time this graph, e.g. a pack's audio_encoder.onnx, not the encoder",
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some parts")
    parser.add_argument("--out", type=Path, required=True, help="folder for JSON and Markdown")
    return parser.parse_args()


def _bench(args: argparse.Namespace) -> Bench:
    """Everything read; raises SoliloquyError."""
    ear = Ear(encoder.load(args.encoder))
    recordings = voices.recordings(args.audio, args.alignments)
    aligned = [voice for voice in recordings if voice.phones]
    if not aligned:
        raise SoliloquyError(
            "bench",
            f"no recording in {args.audio} has known phones",
            f"put NAME.json into {args.alignments}",
        )
    return Bench(ear, recordings, rest.speech_range(ear, aligned), args.corpus, args.graph)


def _timed(part: str, bench: Bench) -> list[Section]:
    """A part's tables; says on stderr how long they took."""
    start_s = time.perf_counter()
    sections = PARTS[part](bench)
    print(f"{part}: {time.perf_counter() - start_s:.0f} s", file=sys.stderr, flush=True)
    return sections


if __name__ == "__main__":
    main()
