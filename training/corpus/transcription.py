"""Write down what is said in recordings that have no transcript, so that they can join a corpus.

PocketSphinx hears the words with the model of American English in its wheel. It mishears some, but
what it hears instead sounds alike, and a corpus takes only phones and their times from it. English
only; short sounds are left out, because without context most are misheard.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backend import audio
from backend.errors import SoliloquyError
from training.corpus.alignment import PAD_S, decoder, listen
from training.corpus.clips import CorpusError
from training.corpus.speech import SAMPLE_RATE_HZ

TABLE = "transcripts.tsv"
_SOUNDS = frozenset({".wav", ".flac", ".ogg", ".mp3"})


class Line(NamedTuple):
    """One row of the table that `synth --recordings` reads."""

    file: str
    transcript: str
    speaker: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m training transcribe`."""
    parser.add_argument("folder", type=Path, help=f"sounds; {TABLE} is written there")
    parser.add_argument("--speaker", required=True, help="who speaks in all of them")
    parser.add_argument("--shortest", type=float, default=2.5, help="seconds; leave out others")


def run(args: argparse.Namespace) -> None:
    """Write the table; raises CorpusError where there is one or there are no sounds."""
    table = args.folder / TABLE
    if table.exists():
        raise CorpusError("transcripts", f"{table} exists", "move it away to make it anew")
    sounds = sorted(p for p in args.folder.rglob("*") if p.suffix.lower() in _SOUNDS)
    if not sounds:
        raise CorpusError("transcripts", f"no sounds in {args.folder}", "wav, flac, ogg or mp3")
    lines = list(heard(sounds, args.folder, args.speaker, args.shortest))
    partial = table.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        writer.writerow(Line._fields)
        writer.writerows(lines)
    partial.replace(table)
    print(f"{table}: {len(lines)} of {len(sounds)} sounds")


def heard(sounds: list[Path], folder: Path, speaker: str, shortest_s: float) -> Iterator[Line]:
    """What is said in each sound that lasts long enough and in which words are found."""
    model = decoder(None)
    for path in sounds:
        try:
            samples = audio.load(path, SAMPLE_RATE_HZ).samples
        except SoliloquyError as error:
            print(f"left out: {error.message}")
            continue
        if len(samples) >= shortest_s * SAMPLE_RATE_HZ and (text := words(model, samples)):
            yield Line(path.relative_to(folder).as_posix(), text, speaker)


def words(model: Any, samples: npt.NDArray[np.float32]) -> str:
    """The words of samples (N,) at 16 kHz, with single spaces; "" where none are heard."""
    listen(model, np.pad(samples, round(PAD_S * SAMPLE_RATE_HZ)))
    hypothesis = model.hyp()
    return "" if hypothesis is None else " ".join(hypothesis.hypstr.split())
