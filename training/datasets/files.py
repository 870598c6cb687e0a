"""One clip's files: motion in .npy, sound in .wav or in a pickle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from backend import audio

from .errors import DatasetError
from .resample import Floats, Ints, Track

SAMPLE_RATE_HZ = 16000


class Voice(Protocol):
    """A clip's sound."""

    @property
    def seconds(self) -> float:
        """How long it is."""

    def read(self) -> npt.NDArray[np.float32]:
        """Samples (N,) at 16 kHz, mono, in [-1, 1]."""


@dataclass(frozen=True)
class NpyTrack:
    """Positions in a memory-mapped .npy of shape (T, 3 V) or (T, V, 3)."""

    path: Path
    frames: int
    fps: float

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3); raises DatasetError where they are no numbers."""
        found = np.asarray(map_npy(self.path)[which])
        if not np.isfinite(found).all():
            raise DatasetError(self.path, "holds positions that are no numbers (NaN or infinite)")
        return found.reshape(len(found), -1, 3)


@dataclass(frozen=True)
class RowsTrack:
    """A clip that is some rows of one large track."""

    source: Track
    rows: Ints
    fps: float

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.rows)

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3)."""
        return self.source.read(self.rows[which])


@dataclass(frozen=True)
class SoundFile:
    """A sound file of any rate and number of channels."""

    path: Path
    seconds: float

    def read(self) -> npt.NDArray[np.float32]:
        """Samples (N,) at 16 kHz; raises AudioError, naming the file."""
        return audio.load(self.path, SAMPLE_RATE_HZ).samples


@dataclass(frozen=True)
class Samples:
    """Sound in memory (N,), at any rate; integers span their type's range."""

    samples: npt.NDArray[Any]
    rate_hz: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate_hz

    def read(self) -> npt.NDArray[np.float32]:
        """Samples (N,) at 16 kHz."""
        unit: npt.NDArray[np.float32] = self.samples.astype(np.float32)
        if self.samples.dtype.kind == "i":
            unit = unit / -float(np.iinfo(self.samples.dtype).min)
        at_rate = soxr.resample(unit, self.rate_hz, SAMPLE_RATE_HZ)
        return np.asarray(np.clip(at_rate, -1, 1), np.float32)


def map_npy(path: Path) -> Floats:
    """A .npy of floats without reading it; raises DatasetError (no array, truncated, pickled)."""
    try:
        array: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise DatasetError(path, "does not exist") from error
    except (ValueError, OSError, EOFError) as error:
        reason = " ".join(str(error).split()) or "it is empty"
        hint = "Copy or make it again."
        raise DatasetError(path, f"is a damaged or truncated .npy ({reason})", hint) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise DatasetError(path, "holds no array of floats")
    return array


def open_npy(path: Path, vertices: int, fps: float) -> NpyTrack:
    """A track of `vertices` vertices; raises DatasetError when the file's shape is another."""
    shape = map_npy(path).shape
    if shape[1:] not in ((3 * vertices,), (vertices, 3)) or shape[0] < 1:
        wanted = f"(frames, {3 * vertices}) or (frames, {vertices}, 3)"
        raise DatasetError(path, f"its shape is {shape}, not {wanted}")
    return NpyTrack(path, shape[0], fps)


def open_sound(path: Path) -> SoundFile:
    """A sound file, its length taken from its header; raises DatasetError."""
    try:
        info = soundfile.info(str(path))
    except soundfile.SoundFileError as error:
        problem = "is damaged or no sound file that can be read"
        raise DatasetError(path, problem, "Save it as WAV.") from error
    if info.frames <= 0:
        raise DatasetError(path, "has no sound in it: 0 samples")
    return SoundFile(path, info.frames / info.samplerate)
