"""Clips stored as FLAME parameters: vertices are made when they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .dataset import Recording, TemplateOf
from .errors import DatasetError
from .files import map_npy
from .flame import IDENTITIES, Flame
from .resample import Ints

EXPRESSIONS = 100
COLUMNS = IDENTITIES + EXPRESSIONS + 3

Array = npt.NDArray[np.float32]


class Parameters(NamedTuple):
    """FLAME's parameters of some frames; the jaw as a rotation vector."""

    shape: Array  # (T, 300)
    expression: Array  # (T, 100)
    jaw: Array  # (T, 3)


class ParameterFile(Protocol):
    """One clip's parameters on disk."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def frames(self) -> int:
        """How many frames it has."""

    def read(self, which: Ints) -> Parameters:
        """The parameters of these frames only; raises DatasetError."""


@dataclass(frozen=True)
class ParameterTrack:
    """Positions (T, V, 3) in metres that FLAME makes of a clip's parameters."""

    file: ParameterFile
    flame: Flame
    fps: float

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.file.frames

    def read(self, which: Ints) -> Array:
        """Positions (len(which), V, 3); raises DatasetError."""
        found = self.file.read(which)
        if not all(np.isfinite(part).all() for part in found):
            raise DatasetError(self.file.path, "holds parameters that are no numbers")
        return self.flame.vertices(*found)


@dataclass(frozen=True)
class NpyParameters:
    """ProbTalk3D's .npy (1, T, 403): shape 300, expression 100, jaw 3."""

    path: Path
    frames: int

    def read(self, which: Ints) -> Parameters:
        """The parameters of these frames."""
        rows = np.asarray(map_npy(self.path)[0, which], np.float32)
        return Parameters(*np.split(rows, [IDENTITIES, IDENTITIES + EXPRESSIONS], axis=1))


def open_npy(path: Path) -> NpyParameters:
    """Check a ProbTalk3D file's shape; raises DatasetError."""
    shape = map_npy(path).shape
    if len(shape) != 3 or shape[0] != 1 or shape[1] < 1 or shape[2] != COLUMNS:
        raise DatasetError(path, f"its shape is {shape}, not (1, frames, {COLUMNS})")
    return NpyParameters(path, shape[1])


def templates(flame: Flame, recordings: Mapping[str, Recording]) -> TemplateOf:
    """Each subject's neutral face: FLAME of the mean shape over all frames of all its clips, as
    ProbTalk3D makes it; read when first asked for."""

    @cache
    def template(subject: str) -> Array:
        total, frames = np.zeros(IDENTITIES), 0
        for recording in recordings.values():
            if recording.clip.subject == subject and isinstance(recording.track, ParameterTrack):
                file = recording.track.file
                total += file.read(np.arange(file.frames)).shape.sum(axis=0, dtype=float)
                frames += file.frames
        mean = (total / frames).astype(np.float32)[None]
        none, shut = np.zeros((1, 0), np.float32), np.zeros((1, 3), np.float32)
        face: Array = flame.vertices(mean, none, shut)[0]
        return face

    return template
