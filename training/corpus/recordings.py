"""Real recordings with transcripts, made clips of the corpus by forced alignment."""

import csv
import dataclasses
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backend import audio
from backend.errors import SoliloquyError
from training.config import CorpusConfig
from training.corpus import clips, emotions, styles, voice_quality
from training.corpus.alignment import align
from training.corpus.clips import Clip, CorpusError
from training.corpus.emotions import Span
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
    """Write every recording that aligns as a clip, and their index; raises CorpusError.

    Some join once more, acted (`CorpusConfig.acted_recordings`): nobody acts in them, and else a
    real voice would mean a neutral face.
    """
    made: list[Clip] = []
    refused: list[Refused] = []
    wanted = [recording for folder in folders for recording in listed(folder)]
    _distinct(wanted)
    for recording in wanted:
        try:
            made += _clips(corpus, recording, config, fps, gains)
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


def _clips(
    corpus: Path, recording: Recording, config: CorpusConfig, fps: int, gains: LipGains
) -> list[Clip]:
    """One clip or two: its phones as they were said, its motion in a style drawn by name."""
    samples: npt.NDArray[np.float32] = audio.load(recording.path, SAMPLE_RATE_HZ).samples
    spoken = Speech(samples, align(samples, recording.text))
    seed = zlib.crc32(recording.path.name.encode())
    rng = np.random.default_rng([config.seed, seed])
    style = str(rng.choice(config.styles))
    split = "val" if rng.random() < config.validation_share else "train"
    name = f"r_{recording.path.stem}"
    clip = Clip(
        name, f"wav/{name}.wav", f"tracks/{name}.npz", split, style, emotions.NEUTRAL,
        recording.text, SYNTHESISER, recording.speaker, spoken.seconds, "en",
    )  # fmt: skip
    both: list[tuple[Clip, Speech, tuple[Span, ...]]] = [(clip, spoken, ())]
    if rng.random() < config.acted_recordings:
        both.append(_acted(clip, spoken, rng))
    for each, heard, spans in both:
        manner = Part(styles.find(style), spans, config.gaze)
        weights = perform(heard.phones, heard.seconds, fps, manner, gains, rng)
        clips.write_clip(corpus, each, heard, weights, spans)
    return [each for each, _, _ in both]


def _acted(
    clip: Clip, spoken: Speech, rng: np.random.Generator
) -> tuple[Clip, Speech, tuple[Span, ...]]:
    """A recording in an emotion: its voice coloured by the corpus' rules, its times as said."""
    feelings = [name for name in emotions.EMOTIONS if name != emotions.NEUTRAL]
    emotion, intensity = str(rng.choice(feelings)), int(rng.integers(1, len(emotions.AMOUNTS)))
    name, amount = f"{clip.id}_{emotion}", emotions.AMOUNTS[intensity]
    voice = emotions.find(emotion).voice
    samples = voice_quality.coloured(spoken.samples, voice, amount, SAMPLE_RATE_HZ, rng)
    twin = dataclasses.replace(
        clip, id=name, wav=f"wav/{name}.wav", track=f"tracks/{name}.npz", emotion=emotion,
        intensity=intensity,
    )  # fmt: skip
    span = Span(emotion, intensity, 0.0, spoken.seconds)
    return twin, dataclasses.replace(spoken, samples=samples), (span,)


def report(made: list[Clip], refused: list[Refused]) -> Iterator[str]:
    """Lines for people: how much has joined, and each recording that has not."""
    minutes = sum(clip.seconds for clip in made) / 60
    yield f"{len(made)} recordings, {minutes:.1f} min, aligned; {len(refused)} left out"
    yield from (f"left out: {name}: {why}" for name, why in refused)
