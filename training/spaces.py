"""What stage 2 predicts and how it becomes motion: stage 1's latents, or a baseline's vertices."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from torch import Tensor

from . import stage1, stage2
from .config import Recipe
from .rig_file import Array, Rig


class Decoded(NamedTuple):
    """A motion (T, V, 3) in metres and which codes it was made of."""

    motion: Array
    codes: set[int]


class Space(Protocol):
    """A space of vectors (T, D) of about unit variance that stand for motion."""

    def decode(self, vectors: Tensor) -> Decoded: ...


class Latents(NamedTuple):
    """Stage 1's latents divided by ``scale``."""

    first: stage1.Trained
    scale: float

    def decode(self, vectors: Tensor) -> Decoded:
        """Latents (T, H * C) -> the nearest codes' numbers and their motion."""
        rows = (vectors * self.scale).reshape(len(vectors), *self.first.model.shape)
        numbers = self.first.model.quantizer.nearest(rows)
        codes = self.first.model.quantizer.codes[numbers]
        return Decoded(self.first.displacements(codes.flatten(1)), set(numbers.flatten().tolist()))

    def quantised(self, motion: Array) -> Decoded:
        """A motion (T, V, 3) in metres through the codebook and back."""
        rows = self.first.model.codes_of(self.first.normalised(motion)).flatten(1)
        return self.decode(rows / self.scale)


class Vertices(NamedTuple):
    """Normalised displacements themselves."""

    normaliser: stage1.Normaliser

    def decode(self, vectors: Tensor) -> Decoded:
        """Normalised displacements (T, V * 3) as motion; no codes."""
        rows: Array = vectors.numpy().reshape(len(vectors), -1, 3)
        motion = rows * np.float32(self.normaliser.scale) + self.normaliser.mean
        return Decoded(motion, set())


def of(work: Path, recipe: Recipe, rig: Rig, second: stage2.Trained) -> Space:
    """The space that a trained stage 2 predicts in; raises CheckpointError."""
    if second.normaliser is not None:
        return Vertices(second.normaliser)
    return Latents(stage1.load(work, recipe, rig), second.scale)
