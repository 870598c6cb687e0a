"""Real recordings with transcripts, made clips of the corpus by forced alignment."""

import csv
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backend import audio
from backend.errors import SoliloquyError
from training.config import CorpusConfig
from training.corpus import clips, styles
from training.corpus.alignment import align
from training.corpus.clips import Clip, CorpusError
from training.corpus.performance import LipGains, Part, perform
from training.corpus.speech import SAMPLE_RATE_HZ, Speech

SYNTHESISER = "recording"
_COLUMNS = ("file", "transcript")


class Recording(NamedTuple):
    """A sound file, what is said in it, and who says it."""

    path: Path
    text: str
    speaker: str


class Refused(NamedTuple):
    """A recording that did not become a clip, and why."""

    name: str
    why: str


def listed(folder: Path) -> list[Recording]:
    """The recordings of a folder, by its one .tsv; raises CorpusError.

    Columns: file, transcript, and if you like speaker and language (only English is aligned).
    """
    tables = sorted(folder.glob("*.tsv"))
    if len(tables) != 1:
        raise CorpusError(
            "recordings", f"{folder} has {len(tables)} .tsv files", "give a folder with one"
        )
    with tables[0].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for column in _COLUMNS:
        if not rows or column not in rows[0]:
            raise CorpusError(
                "recordings", f"{tables[0].name} has no column {column}", "see docs/corpus.md"
            )
    english = [row for row in rows if (row.get("language") or "en").startswith("en")]
    return [Recording(folder / r["file"], r["transcript"] or "", _speaker(r)) for r in english]


def _speaker(row: dict[str, str]) -> str:
    """The table's speaker, else what comes before the first - or _ of the file's name."""
    return row.get("speaker") or Path(row["file"]).stem.replace("_", "-").partition("-")[0]


def join(
    corpus: Path, folders: Sequence[Path], config: CorpusConfig, fps: int, gains: LipGains
) -> tuple[list[Clip], list[Refused]]:
    """Write every recording that aligns as a clip, and their index; raises CorpusError."""
    made: list[Clip] = []
    refused: list[Refused] = []
    wanted = [recording for folder in folders for recording in listed(folder)]
    _distinct(wanted)
    for recording in wanted:
        try:
            made.append(_clip(corpus, recording, config, fps, gains))
        except SoliloquyError as error:
            if error.code == "aligner_missing":
                raise
            refused.append(Refused(recording.path.name, error.message))
    with (corpus / clips.RECORDINGS).open("w", encoding="utf-8") as index:
        index.writelines(clips.line(clip) for clip in made)
    return made, refused


def _distinct(wanted: Sequence[Recording]) -> None:
    """Raise CorpusError for two sounds of one name: clips are called by it."""
    paths = {recording.path.stem: recording.path for recording in wanted}
    for recording in wanted:
        if paths[recording.path.stem] != recording.path:
            both = f"{recording.path} and {paths[recording.path.stem]}"
            raise CorpusError("recordings", f"{both} have one name", "rename one")


def _clip(
    corpus: Path, recording: Recording, config: CorpusConfig, fps: int, gains: LipGains
) -> Clip:
    """One clip: its phones as they were said, its motion performed in a style drawn by name."""
    samples: npt.NDArray[np.float32] = audio.load(recording.path, SAMPLE_RATE_HZ).samples
    spoken = Speech(samples, align(samples, recording.text))
    seed = zlib.crc32(recording.path.name.encode())
    rng = np.random.default_rng([config.seed, seed])
    style = str(rng.choice(config.styles))
    split = "val" if rng.random() < config.validation_share else "train"
    manner = Part(styles.find(style), (), config.gaze)
    weights = perform(spoken.phones, spoken.seconds, fps, manner, gains, rng)
    name = f"r_{recording.path.stem}"
    clip = Clip(
        name, f"wav/{name}.wav", f"tracks/{name}.npz", split, style, "neutral", recording.text,
        SYNTHESISER, recording.speaker, spoken.seconds, "en",
    )  # fmt: skip
    clips.write_clip(corpus, clip, spoken, weights, ())
    return clip


def report(made: list[Clip], refused: list[Refused]) -> Iterator[str]:
    """Lines for people: how much has joined, and each recording that has not."""
    minutes = sum(clip.seconds for clip in made) / 60
    yield f"{len(made)} recordings, {minutes:.1f} min, aligned; {len(refused)} left out"
    yield from (f"left out: {name}: {why}" for name, why in refused)
