"""Other languages: synthetic lines, whose phones are known, and real readings, whose are not."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import hearing, quality
from benchmarks.hearing import Ear, Samples
from benchmarks.rest import Range, share_at_rest
from benchmarks.tables import Row, Section
from benchmarks.voices import Voice
from training.corpus import espeak
from training.encoder import FEATURE_RATE_HZ, SAMPLES_PER_FEATURE

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A pause: this far under the loud frames, for so long; the mouth has a moment at each edge.
PAUSE_DB, SHORTEST_PAUSE_S, EDGE_S = -35.0, 0.25, 0.08
LOUD_DB = -15.0
SPEAKING = 0.5
SYNTHETIC_NOTE = (
    "espeak-ng's own phone times; its variants f3, m4, Annie and quincy, which the studio recipe "
    "holds out. Synthetic: it says little about people. " + quality.NOTE
)
REAL_NOTE = (
    "Nobody knows here when these people's lips closed, so nothing of this is a measure of lip "
    "sync. loud heard: share of frames within 15 dB of the loud ones that the speech head takes "
    "for speech; pause heard: share of frames in pauses (35 dB under, at least 0.25 s) that it "
    "takes for none; at rest: share of those with the aperture under 5 % of the English range; "
    "spread: 5th to 95th percentile of the aperture, in units of the English range."
)


def synthetic(ear: Ear) -> Section:
    """Lines of each language, pooled."""
    rows: list[Row] = [
        {
            "language": language,
            **quality.pooled([quality.score(ear, voice) for voice in voices]),
        }
        for language, voices in spoken()
    ]  # fmt: skip
    return Section("languages", "Other languages, synthetic", rows, SYNTHETIC_NOTE)


def spoken() -> Iterator[tuple[str, list[Voice]]]:
    """Each language's lines by every variant; raises SynthesiserMissingError."""
    table = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text(encoding="utf-8"))
    for language, lines in table["languages"].items():
        yield (
            language,
            [
                _say(line, f"{language}+{variant}")
                for variant in table["variants"]
                for line in lines
            ],
        )


def _say(line: str, voice: str) -> Voice:
    made = espeak.speak(line, voice)
    return Voice(voice, made.samples, made.phones, language=voice.split("/")[1])


def real(ear: Ear, spanned: Range, voices: Sequence[Voice]) -> Section:
    """Each language's recordings: activity, rest in pauses, spread."""
    languages = sorted({voice.language for voice in voices}, key=lambda name: (name != "en", name))
    rows = [
        _row(ear, spanned, name, [v for v in voices if v.language == name]) for name in languages
    ]
    return Section("readings_real", "Other languages, real, without phones", rows, REAL_NOTE)


def _row(ear: Ear, spanned: Range, language: str, voices: Sequence[Voice]) -> Row:
    heard = [ear(voice.samples) for voice in voices]
    opening = np.concatenate([hearing.aperture(one) for one in heard])
    speaking = np.concatenate([one.speech for one in heard]) > SPEAKING
    levels = [levels_db(voice.samples) for voice in voices]
    loud = np.concatenate([level > LOUD_DB for level in levels])
    pause = np.concatenate([pauses(level) for level in levels])
    low, high = np.percentile(opening, (5.0, 95.0))
    return {
        "language": language,
        "seconds": sum(voice.seconds for voice in voices),
        "pause seconds": float(pause.sum() / FEATURE_RATE_HZ),
        "loud heard": float(speaking[loud].mean()) if loud.any() else None,
        "pause heard": float((~speaking[pause]).mean()) if pause.any() else None,
        "at rest": share_at_rest(opening[pause], spanned),
        "spread": float((high - low) / spanned.span),
    }


def levels_db(samples: Samples) -> Floats:
    """Level (T,) of each 20 ms around a feature's time, relative to the clip's 95th percentile."""
    half, frames = SAMPLES_PER_FEATURE // 2, len(samples) // SAMPLES_PER_FEATURE
    padded = np.pad(samples.astype(np.float64), (half, half))
    rows = padded[: frames * SAMPLES_PER_FEATURE].reshape(frames, SAMPLES_PER_FEATURE)
    level = 10 * np.log10(np.mean(rows**2, axis=1) + 1e-12)
    return np.asarray(level - np.percentile(level, 95.0))


def pauses(level_db: Floats) -> Bools:
    """Frames (T,) inside quiet stretches that are long enough, their edges left out."""
    quiet = level_db < PAUSE_DB
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    inside = np.zeros(len(level_db), bool)
    margin = round(EDGE_S * FEATURE_RATE_HZ)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= SHORTEST_PAUSE_S * FEATURE_RATE_HZ:
            inside[first + margin : last - margin] = True
    return inside
