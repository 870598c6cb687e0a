"""Speech whose phones are known: real recordings, and the corpus' held-out voices."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend import audio
from backend.errors import SoliloquyError
from training import lipsync
from training.corpus import clips
from training.corpus.alignment import align
from training.corpus.phones import Phone
from training.corpus.speech import SAMPLE_RATE_HZ
from training.evaluate_speech import SUFFIXES

Samples = NDArray[np.float32]

HELD_OUT = ("test", "test-voices", "test-sentences")
GIVEN, OWN, NONE = "given", "own", "none"


class Voice(NamedTuple):
    """A clip; without phones where they are not known. Sex and language are "" if untold."""

    name: str
    samples: Samples
    phones: list[Phone]
    alignment: str = GIVEN
    sex: str = ""
    language: str = "en"
    path: Path = Path()

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


def recordings(folder: Path, alignments: Path) -> list[Voice]:
    """The sounds of a folder by name; a .tsv beside them may name file, sex, language, transcript.

    English ones that lack an alignment but have a transcript are aligned here.
    """
    told = _told(folder)
    sounds = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return [_recording(path, alignments, told.get(path.name, {})) for path in sounds]


def _told(folder: Path) -> dict[str, dict[str, str]]:
    """What the folder's tables say of each file."""
    told: dict[str, dict[str, str]] = {}
    for table in sorted(folder.glob("*.tsv")):
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            told |= {row["file"]: row for row in rows if "file" in row}
    return told


def _recording(path: Path, alignments: Path, told: dict[str, str]) -> Voice:
    samples = audio.load(path, SAMPLE_RATE_HZ).samples
    language, sex = told.get("language") or "en", told.get("sex") or ""
    given = alignments / f"{path.stem}.json"
    if given.is_file():
        phones, origin = lipsync.read_alignment(given), GIVEN
    else:
        phones = _aligned(samples, told.get("transcript", ""), language)
        origin = OWN if phones else NONE
    return Voice(path.stem, samples, phones, origin, sex, language, path)


def _aligned(samples: Samples, text: str, language: str) -> list[Phone]:
    """Phones by forced alignment; none where that is not possible."""
    if not language.startswith("en") or not text:
        return []
    try:
        return align(samples, text)
    except SoliloquyError:
        return []


def held_out(corpus: Path) -> Iterator[tuple[str, list[Voice]]]:
    """Each held-out split of a corpus that has clips; raises CorpusError."""
    for split in HELD_OUT:
        rows = clips.read_clips(corpus, split)
        if rows:
            yield split, [_of_corpus(corpus, clip) for clip in rows]


def _of_corpus(corpus: Path, clip: clips.Clip) -> Voice:
    samples, phones = clips.read_samples(corpus, clip), clips.read_track(corpus, clip).phones
    return Voice(clip.id, samples, phones, language=clip.language)
