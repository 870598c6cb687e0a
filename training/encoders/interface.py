"""What every speech encoder is: a waveform in, features at a stated rate out, in torch and ONNX."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.errors import SoliloquyError

SAMPLE_RATE_HZ = 16000
FEATURE_RATE_HZ = 50
# The convolutions of wav2vec 2.0 and all its kin: a feature hears 400 samples, every 320.
_HEARD, _HOP = 400, 320


class EncoderFileError(SoliloquyError):
    """A file that should hold an encoder's weights is missing or holds something else."""


class Heard(NamedTuple):
    """Features (B, S, F), and the chance (B, S), 0..1, that somebody speaks, if that is known."""

    features: Tensor
    voice_activity: Tensor | None


class SpeechEncoder(nn.Module, ABC):
    """Waveform (B, N) at 16 kHz in [-1, 1] -> features (B, N // 320, size) at ``rate_hz``.

    Feature k tells of the samples around the middle of its span, (k + 0.5) / rate_hz seconds.
    """

    rate_hz: int = FEATURE_RATE_HZ
    tells_voice_activity: bool = False

    @property
    @abstractmethod
    def size(self) -> int:
        """F, how many values a feature has."""

    @abstractmethod
    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform (B, N) -> features (B, N // 320, size)."""

    def unfreeze(self) -> None:
        """Make trainable what the papers train along with stage 2; raises EncoderFileError."""
        message = f"{type(self).__name__} does not learn along with stage 2."
        hint = "Name a HuBERT, WavLM or wav2vec 2.0 in [speech], or leave out train."
        raise EncoderFileError("encoder_fixed", message, hint)

    def hear(self, waveform: Tensor) -> Heard:
        """Waveform (B, N) -> features, and voice activity if the encoder tells it."""
        return Heard(self(waveform), None)


def standardised(waveform: Tensor, eps: float) -> Tensor:
    """Each waveform of (B, N) with mean 0 and variance 1, as the large encoders were taught."""
    centred = waveform - waveform.mean(dim=-1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(dim=-1, keepdim=True) + eps)


def spanned(waveform: Tensor) -> Tensor:
    """(B, N) -> (B, N + 80): silence at both ends, so that the convolutions give N // 320 features.

    Without it they give one feature less, and none for the last 25 ms of a sound.
    """
    edge = (_HEARD - _HOP) // 2
    return functional.pad(waveform, (edge, edge))
