"""Whether a voice sounds the same at every sample rate and number of channels."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from backend import audio
from benchmarks.hearing import Ear
from benchmarks.rest import Range
from benchmarks.tables import Row, Section
from benchmarks.voices import Voice
from training.corpus.speech import SAMPLE_RATE_HZ

Floats = NDArray[np.float64]

LEAST_RATE_HZ = 22050
NOTE = (
    f"The recordings of at least {LEAST_RATE_HZ} Hz written as 16-bit files of other rates and "
    "read as the worker reads them, against the same at 16 kHz mono: differences of the aperture "
    "in % of the range that real speech spans. 8 kHz lacks what is above 4 kHz, so it must differ."
)


class Format(NamedTuple):
    """How a file is written."""

    rate_hz: int
    channels: int

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.rate_hz} Hz, {'stereo' if self.channels == 2 else 'mono'}"


FORMATS = (
    Format(8000, 1),
    Format(16000, 2),
    Format(22050, 1),
    Format(44100, 1),
    Format(44100, 2),
    Format(48000, 1),
    Format(48000, 2),
)


class Difference(NamedTuple):
    """Of two aperture curves, in % of the range."""

    largest: float
    mean: float


def section(ear: Ear, spanned: Range, voices: Sequence[Voice]) -> Section:
    """Every format, over all clips whose file is sampled fast enough."""
    paths = [v.path for v in voices if soundfile.info(v.path).samplerate >= LEAST_RATE_HZ]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS if paths else ():
            found = [_differ(ear, spanned, path, form, Path(folder) / "voice.wav")
                     for path in paths]  # fmt: skip
            rows.append({
                "file": form.name,
                "largest %": max(one.largest for one in found),
                "mean %": float(np.mean([one.mean for one in found])),
            })  # fmt: skip
    return Section("resampling", "The same voice in other files", rows, NOTE)


def _differ(ear: Ear, spanned: Range, path: Path, form: Format, scratch: Path) -> Difference:
    """One recording in one format against 16 kHz mono."""
    plain, other = (
        ear.aperture(heard_from(path, one, scratch)) for one in (Format(SAMPLE_RATE_HZ, 1), form)
    )
    return difference(plain, other, spanned)


def heard_from(path: Path, form: Format, scratch: Path) -> NDArray[np.float32]:
    """What the worker hears (N,) of a recording saved in a format."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    saved = mono if rate_hz == form.rate_hz else soxr.resample(mono, rate_hz, form.rate_hz)
    channels = np.repeat(np.clip(saved, -1.0, 1.0)[:, None], form.channels, axis=1)
    soundfile.write(scratch, channels, form.rate_hz, subtype="PCM_16")
    return audio.load(scratch, SAMPLE_RATE_HZ).samples


def difference(one: Floats, other: Floats, spanned: Range) -> Difference:
    """Of two curves at 50 Hz; a frame that only one of them has is left out."""
    frames = min(len(one), len(other))
    apart = 100.0 * np.abs(one[:frames] - other[:frames]) / spanned.span
    return Difference(float(apart.max()), float(apart.mean()))
