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

# A clip's levels span from its noise (5th percentile, 0) to its loud frames (95th, 1).
QUIETEST, LOUDEST = 5.0, 95.0
# A pause: so near to the noise for so long; the mouth has a moment at each edge.
PAUSE, SHORTEST_PAUSE_S, EDGE_S = 0.25, 0.25, 0.08
LOUD = 0.65
SMOOTHING_FRAMES = 5
SPEAKING = 0.5
SYNTHETIC_NOTE = (
    "espeak-ng's own phone times; its variants f3, m4, Annie and quincy, which the studio recipe "
    "holds out. Synthetic: it says little about people. " + quality.NOTE
)
REAL_NOTE = (
    "Nobody knows here when these people's lips closed, so nothing of this is a measure of lip "
    "sync. The clip's level in dB, from its 5th to its 95th percentile, tells pauses (the lowest "
    "quarter, at least 0.25 s) from loud frames (the highest third or so). noise: how far the 5th "
    "percentile is below the 95th, dB; loud heard: share of loud frames that the speech head takes "
    "for speech; pause heard: share of frames in pauses that it takes for none; at rest: share of "
    "those with the aperture under 5 % of the English range; "
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
    loud = np.concatenate([relative(level) > LOUD for level in levels])
    pause = np.concatenate([pauses(relative(level)) for level in levels])
    low, high = np.percentile(opening, (5.0, 95.0))
    return {
        "language": language,
        "seconds": sum(voice.seconds for voice in voices),
        "noise": float(np.median([np.ptp(_edges(level)) for level in levels])),
        "pause seconds": float(pause.sum() / FEATURE_RATE_HZ),
        "loud heard": float(speaking[loud].mean()) if loud.any() else None,
        "pause heard": float((~speaking[pause]).mean()) if pause.any() else None,
        "at rest": share_at_rest(opening[pause], spanned),
        "spread": float((high - low) / spanned.span),
    }


def levels_db(samples: Samples) -> Floats:
    """Level (T,) of the 100 ms around each feature's time, dB."""
    half, frames = SAMPLES_PER_FEATURE // 2, len(samples) // SAMPLES_PER_FEATURE
    padded = np.pad(samples.astype(np.float64), (half, half))
    rows = padded[: frames * SAMPLES_PER_FEATURE].reshape(frames, SAMPLES_PER_FEATURE)
    powers = np.pad(np.mean(rows**2, axis=1), SMOOTHING_FRAMES // 2, mode="edge")
    smooth = np.convolve(powers, np.full(SMOOTHING_FRAMES, 1 / SMOOTHING_FRAMES), "valid")
    return np.asarray(10 * np.log10(smooth + 1e-12))


def relative(level_db: Floats) -> Floats:
    """Level (T,) between the clip's noise, 0, and its loud frames, 1."""
    noise, loud = _edges(level_db)
    return np.asarray((level_db - noise) / max(loud - noise, 1e-6))


def _edges(level_db: Floats) -> Floats:
    return np.asarray(np.percentile(level_db, (QUIETEST, LOUDEST)))


def pauses(level: Floats) -> Bools:
    """Frames (T,) of relative level inside long quiet stretches, their edges left out."""
    quiet = level < PAUSE
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    inside = np.zeros(len(level), bool)
    margin = round(EDGE_S * FEATURE_RATE_HZ)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= SHORTEST_PAUSE_S * FEATURE_RATE_HZ:
            inside[first + margin : last - margin] = True
    return inside
