"""Recordings in the corpus' emotions, so that a real voice in a real room does not mean neutral.

Nobody acts in the recordings. The colours that the corpus gives its synthetic voices are laid
over them, by the same rules and with the same labels.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from training.corpus import emotions, voice_quality
from training.emotion_encoder import NAMES
from training.encoders.interface import SAMPLE_RATE_HZ

_FEELINGS = tuple(name for name in NAMES if name != emotions.NEUTRAL)


class Role(NamedTuple):
    """An emotion and its amount, 0..1."""

    emotion: str
    amount: float


def drawn(rng: torch.Generator) -> Role:
    """Any emotion but neutral at any of the corpus' three intensities."""
    which = int(torch.randint(len(_FEELINGS), (1,), generator=rng))
    intensity = int(torch.randint(1, len(emotions.AMOUNTS), (1,), generator=rng))
    return Role(_FEELINGS[which], emotions.AMOUNTS[intensity])


def speed(role: Role) -> float:
    """How much faster a recording is played in this role.

    One speed must do for tempo and pitch alike: the geometric mean of the two.
    """
    emotion = emotions.find(role.emotion)
    pitch = 2.0 ** (emotion.pitch_semitones / 12)
    return float((emotion.tempo * pitch) ** (0.5 * role.amount))


def coloured(waveform: Tensor, role: Role, rng: torch.Generator) -> Tensor:
    """A waveform (N,) at 16 kHz with the colour of the role's voice, as loud as before."""
    hiss = np.random.default_rng(int(torch.randint(2**31, (1,), generator=rng)))
    quality = emotions.find(role.emotion).voice
    return torch.from_numpy(
        voice_quality.coloured(waveform.numpy(), quality, role.amount, SAMPLE_RATE_HZ, hiss)
    )
