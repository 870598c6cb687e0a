"""The corpus on disk: one JSON line a clip, a wav and a track of shape weights."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from backend.errors import SoliloquyError
from training.corpus.emotions import NEUTRAL, Span
from training.corpus.phones import Phone
from training.corpus.speech import SAMPLE_RATE_HZ, Speech

# Clips of real speech have an index of their own: they do not come in batches.
RECORDINGS = "recordings.jsonl"


class CorpusError(SoliloquyError):
    """A corpus that is missing, damaged, or was made by another recipe."""


@dataclass(frozen=True)
class Clip:
    """One clip; `wav` and `track` are paths inside the corpus folder."""

    id: str
    wav: str
    track: str
    split: str
    style: str
    emotion: str
    text: str
    synthesiser: str
    voice: str
    seconds: float
    language: str
    intensity: int = 0  # 1 to 3; 0 is neutral
    shift_to: str = ""  # the emotion that a shift inside the line leads to

    @property
    def acted(self) -> bool:
        """Whether any of it is in another emotion than neutral."""
        return {self.emotion, self.shift_to or NEUTRAL} != {NEUTRAL}


class Track(NamedTuple):
    """What a track file holds: weights (T, S) in the rig's order, phones, emotions over time."""

    weights: npt.NDArray[np.float32]
    phones: list[Phone]
    spans: Sequence[Span] = ()


def read_clips(corpus: Path, split: str | None = None) -> list[Clip]:
    """The corpus' clips, recordings last, of one split or all; raises CorpusError."""
    if not (corpus / "clips.jsonl").is_file():
        raise CorpusError(
            "corpus_missing", f"no corpus in {corpus}", "run python -m training synth"
        )
    clips = read_index(corpus / "clips.jsonl")
    if (corpus / RECORDINGS).is_file():
        clips += read_index(corpus / RECORDINGS)
    return [clip for clip in clips if split in (None, clip.split)]


def read_index(index: Path) -> list[Clip]:
    """The clips of one index file; raises CorpusError."""
    lines = index.read_text(encoding="utf-8").splitlines()
    try:
        return [Clip(**json.loads(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise CorpusError("corpus_damaged", f"{index}: {error}", "make the corpus again") from error


def read_samples(corpus: Path, clip: Clip) -> npt.NDArray[np.float32]:
    """A clip's waveform (N,) at 16 kHz."""
    samples, rate_hz = soundfile.read(corpus / clip.wav, dtype="float32")
    if rate_hz != SAMPLE_RATE_HZ:
        raise CorpusError(
            "corpus_rate", f"{clip.wav} is at {rate_hz} Hz, not 16000", "make the corpus again"
        )
    return np.asarray(samples, np.float32)


def read_track(corpus: Path, clip: Clip) -> Track:
    """A clip's shape weights and phones."""
    with np.load(corpus / clip.track, allow_pickle=False) as file:
        rows = zip(file["label"], file["start_s"], file["end_s"], file["stress"], strict=True)
        phones = [Phone(str(n), float(s), float(e), int(k)) for n, s, e, k in rows]
        return Track(file["weights"], phones, _spans(file) if "emotion" in file.files else ())


def _spans(file: Mapping[str, npt.NDArray[np.generic]]) -> list[Span]:
    rows = zip(
        file["emotion"],
        file["intensity"],
        file["emotion_start_s"],
        file["emotion_end_s"],
        strict=True,
    )
    return [Span(str(n), int(k), float(s), float(e)) for n, k, s, e in rows]


def write_clip(
    corpus: Path,
    clip: Clip,
    spoken: Speech,
    weights: npt.NDArray[np.float32],
    spans: Sequence[Span],
) -> None:
    """Write a clip's wav (16-bit) and track; its line in the index is the caller's."""
    soundfile.write(corpus / clip.wav, spoken.samples, SAMPLE_RATE_HZ, subtype="PCM_16")
    np.savez(
        corpus / clip.track,
        weights=weights,
        label=np.array([phone.name for phone in spoken.phones]),
        start_s=np.array([phone.start_s for phone in spoken.phones], np.float32),
        end_s=np.array([phone.end_s for phone in spoken.phones], np.float32),
        stress=np.array([phone.stress for phone in spoken.phones], np.int8),
        emotion=np.array([span.emotion for span in spans], dtype=np.str_),
        intensity=np.array([span.intensity for span in spans], np.int8),
        emotion_start_s=np.array([span.start_s for span in spans], np.float32),
        emotion_end_s=np.array([span.end_s for span in spans], np.float32),
    )


def line(clip: Clip) -> str:
    """A clip's line of the index, newline included."""
    return json.dumps(dataclasses.asdict(clip), ensure_ascii=False) + "\n"
