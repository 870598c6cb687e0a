"""What a pack of ExpTalk's holds beyond GLDiTalker's: emotion encoder, prototypes, a codebook more.
"""

from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from .. import graphs
from ..config import Recipe
from ..encoders import table
from ..encoders.interface import SpeechEncoder
from ..rig_file import Array
from . import prototypes
from .prototypes import Prototypes
from .rad import Rad


class Feeling(NamedTuple):
    """The emotion encoder, and what it hears when emotions are acted."""

    encoder: SpeechEncoder
    prototypes: Prototypes


class RadGraph(nn.Module):
    """The denoiser with speech and emotion features as two inputs, as packs have them."""

    def __init__(self, model: Rad) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, noisy: Tensor, features: Tensor, style: Tensor, step: Tensor, emotions: Tensor
    ) -> Tensor:
        return cast(Tensor, self.model(noisy, torch.cat([features, emotions], -1), style, step))


def feeling(work: Path, recipe: Recipe) -> Feeling:
    """WORK's emotion encoder and its prototypes on WORK's corpus.

    Raises CorpusError, EncoderFileError.
    """
    encoder = table.load_emotion(recipe, work)
    return Feeling(encoder, prototypes.of(work / "corpus", recipe, encoder))


def with_emotions(denoise: graphs.Signature, size: int) -> graphs.Signature:
    """A denoiser's signature with emotion features (1, T, K) as its last input."""
    given = torch.zeros(1, denoise.inputs["noisy"].shape[1], size)
    inputs = {**denoise.inputs, "emotions": given}
    return denoise._replace(inputs=inputs, dynamic={**denoise.dynamic, "emotions": {1: "T"}})


def books(codes: Array, recipe: Recipe) -> dict[str, Array]:
    """All codes (N, C) as codebook.npz names them: those of motion, and those of emotion."""
    count = recipe.stage1.codes
    return {"codes": codes[:count]} | ({"emotion_codes": codes[count:]} if len(codes) > count
                                       else {})  # fmt: skip


def save(felt: Feeling, folder: Path) -> None:
    """Write emotions.npz."""
    measured = felt.prototypes
    np.savez(folder / "emotions.npz", amounts=measured.amounts, prototypes=measured.features)
