"""The compact speech encoder: 16 kHz waveform in, features at 50 Hz out, small enough to ship.

The log-mel spectrum is part of the network (a strided convolution is the Fourier transform): the
exported graph takes the raw waveform and no second implementation exists.
"""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from training import encoder_file
from training.config import EncoderConfig, OptimiserConfig
from training.corpus.phones import PHONES, VISEMES
from training.encoder_file import Kind
from training.encoders import interface
from training.encoders.interface import Heard, SpeechEncoder

SAMPLE_RATE_HZ = interface.SAMPLE_RATE_HZ
FEATURE_RATE_HZ = interface.FEATURE_RATE_HZ
SAMPLES_PER_FEATURE = SAMPLE_RATE_HZ // FEATURE_RATE_HZ
_HOP = SAMPLES_PER_FEATURE // 2
_WINDOW = 400
_DFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7600.0
# Power below which a band counts as empty: white noise at about -92 dB of full scale.
_FLOOR = 1e-7
# Makes probabilities vary about as much as other features do.
_POSTERIOR_SCALE = 4.0
# Below white noise at about -57 dB of full scale the level is followed no further: that is silence.
_QUIET_LEVEL = 3e-4
_KIND = Kind("encoder", "compact", "train-encoder")


class EncoderHeads(NamedTuple):
    """What linear heads read from the features, each (B, T, n): logits, but aperture in 0..1."""

    phones: Tensor
    visemes: Tensor
    aperture: Tensor
    voicing: Tensor
    speech: Tensor
    stress: Tensor


class LogMel(nn.Module):
    """Mel spectrum (B, bands, N // 160 + 1) of a waveform (B, N); frame j is centred on 160 j."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("fourier", torch.from_numpy(_fourier_kernels()), persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel_filters(bands)), persistent=False)
        self.fourier: Tensor
        self.mel: Tensor

    def power(self, waveform: Tensor) -> Tensor:
        """Power spectrum (B, 257, frames)."""
        padded = functional.pad(waveform[:, None], (_WINDOW // 2, _WINDOW // 2))
        spectrum = functional.conv1d(padded, self.fourier, stride=_HOP)
        real, imaginary = spectrum.chunk(2, dim=1)
        return real.square() + imaginary.square()

    def bands(self, power: Tensor) -> Tensor:
        """Mel bands' power (B, bands, frames)."""
        return functional.conv1d(power, self.mel[..., None])

    def forward(self, waveform: Tensor) -> Tensor:
        """Mel bands' power, not yet logarithmic (the level is taken from it first)."""
        return self.bands(self.power(waveform))


class Level(nn.Module):
    """Log-mel relative to the recent mean level: gain hardly matters, yet silence stays low."""

    def __init__(self, past_s: float, ahead_s: float) -> None:
        super().__init__()
        rate_hz = SAMPLE_RATE_HZ / _HOP
        self.past, self.ahead = round(past_s * rate_hz), round(ahead_s * rate_hz)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel power (B, bands, frames) -> relative log-mel, about -8..4 (natural log, halved)."""
        total = mel.mean(dim=1, keepdim=True)
        kernel = self.past + self.ahead + 1
        both = torch.cat([total, torch.ones_like(total)], dim=1)
        pooled = functional.avg_pool1d(
            functional.pad(both, (self.past, self.ahead)), kernel, stride=1
        )
        level = pooled[:, :1] / pooled[:, 1:]
        return 0.5 * (torch.log(mel + _FLOOR) - torch.log(level + _QUIET_LEVEL))


class Block(nn.Module):
    """Residual block: dilated convolution over time, then a mix of channels.

    It looks as far ahead as back, or (past) back only: what was said long ago tells the voice.
    """

    def __init__(self, channels: int, dilation: int, dropout: float, past: bool = False) -> None:
        super().__init__()
        self.reach = (2 * dilation, 0) if past else (dilation, dilation)
        self.time = nn.Conv1d(channels, channels, 3, dilation=dilation)
        self.norm = nn.BatchNorm1d(channels)
        self.mix = nn.Conv1d(channels, channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        heard = self.time(functional.pad(x, self.reach))
        mixed: Tensor = self.mix(self.dropout(functional.gelu(self.norm(heard))))
        return x + mixed


class CompactEncoder(SpeechEncoder):
    """Waveform (B, N) at 16 kHz -> features (B, N // 320, F); feature k lies at k / 50 s.

    Features are the last hidden layer, or what the heads read from it as probabilities: those
    differ less between synthetic and real voices, which later stages never hear.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel(config.mel_bands)
        self.level = Level(config.level_past_s, config.level_ahead_s)
        self.entry = nn.Conv1d(config.mel_bands + 1, config.channels, 5, stride=2, padding=2)
        self.blocks = nn.Sequential(
            *(Block(config.channels, d, config.dropout, past=True) for d in config.past_dilations),
            *(Block(config.channels, d, config.dropout) for d in config.dilations),
        )
        self.narrow = nn.Conv1d(config.channels, config.features, 1)
        # Without learned scale: the later stages get features of about unit variance.
        self.unit = nn.BatchNorm1d(config.features, affine=False)
        self.sizes = (len(PHONES), len(VISEMES), 1, 1, 1, 1)
        self.heads = nn.Linear(config.features, sum(self.sizes))

    tells_voice_activity = True

    def forward(self, waveform: Tensor) -> Tensor:
        return self.hear(waveform).features

    def hear(self, waveform: Tensor) -> Heard:
        """Waveform (B, N) -> features (B, N // 320, F) and voice activity (B, N // 320)."""
        return self.from_mel(self.log_mel(waveform))

    @property
    def size(self) -> int:
        """F, the features' number."""
        return sum(self.sizes) if self.config.posteriors else self.config.features

    def from_mel(self, mel: Tensor) -> Heard:
        """Mel power (B, bands, frames at 100 Hz) -> what is heard at half that rate."""
        hidden = self.hidden(mel)
        heads = self.read(hidden)
        activity = torch.sigmoid(heads.speech[..., 0])
        return Heard(_chances(heads) if self.config.posteriors else hidden, activity)

    def listen(self, mel: Tensor) -> EncoderHeads:
        """What the heads say of mel power (B, bands, frames at 100 Hz)."""
        return self.read(self.hidden(mel))

    def hidden(self, mel: Tensor) -> Tensor:
        """The last hidden layer (B, frames // 2, config.features) of unit variance."""
        relative = self.level(mel)
        loudness = torch.log(mel.mean(dim=1, keepdim=True) + _FLOOR) * 0.25 + 1.0
        entered = self.entry(torch.cat([relative, loudness], dim=1))
        features: Tensor = self.unit(self.narrow(functional.gelu(self.blocks(entered))))
        # The entry makes N // 320 + 1 frames; the last one lies at the very end of the sound.
        return features[..., :-1].transpose(1, 2)

    def read(self, features: Tensor) -> EncoderHeads:
        """What the heads say of the hidden layer (B, T, config.features)."""
        parts = list(self.heads(features).split(self.sizes, dim=-1))
        parts[2] = torch.sigmoid(parts[2])
        return EncoderHeads(*parts)


def _chances(heads: EncoderHeads) -> Tensor:
    """All heads as probabilities (B, T, n), scaled to vary like other features."""
    classes = [torch.softmax(part, dim=-1) for part in (heads.phones, heads.visemes)]
    chances = [torch.sigmoid(part) for part in (heads.voicing, heads.speech, heads.stress)]
    return _POSTERIOR_SCALE * torch.cat([*classes, heads.aperture, *chances], dim=-1)


def mel_filters(
    bands: int, low_hz: float = _LOWEST_HZ, high_hz: float = _HIGHEST_HZ
) -> npt.NDArray[np.float32]:
    """Triangular mel filters (bands, 257), each summing to one (so white noise is flat)."""
    edges = _hz(np.linspace(_mel(low_hz), _mel(high_hz), bands + 2))
    bins = np.arange(_DFT // 2 + 1) * SAMPLE_RATE_HZ / _DFT
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (bins - low) / (middle - low), (high - bins) / (high - middle)
    filters = np.maximum(0.0, np.minimum(rise, fall))
    # The narrowest low filters can miss every bin: they take the nearest one.
    empty = filters.sum(axis=1) == 0
    filters[empty, np.argmin(np.abs(bins - middle), axis=1)[empty]] = 1.0
    return np.asarray(filters / filters.sum(axis=1, keepdims=True), np.float32)


def _mel(hz: float) -> float:
    return 2595.0 * math.log10(1.0 + hz / 700.0)


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))


def _fourier_kernels() -> npt.NDArray[np.float32]:
    """Hann-windowed cosines and sines (514, 1, 400): real parts, then imaginary parts."""
    time = np.arange(_WINDOW)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / _WINDOW)
    angle = 2 * np.pi * np.outer(np.arange(_DFT // 2 + 1), time) / _DFT
    waves = np.concatenate([np.cos(angle), -np.sin(angle)]) * window
    return np.asarray(waves[:, None], np.float32)


def save(path: Path, encoder: CompactEncoder, extra: dict[str, Any] | None = None) -> None:
    """Write an encoder and plain extra values (figures)."""
    encoder_file.save(path, _KIND, encoder, encoder.config, extra)


def config_of(table: dict[str, Any]) -> EncoderConfig:
    """The configuration from a checkpoint's plain values."""
    optimiser = OptimiserConfig(**table["optimiser"])
    tuples = {name: tuple(table.get(name, ())) for name in ("dilations", "past_dilations")}
    return EncoderConfig(**(table | tuples | {"optimiser": optimiser}))


def load(path: Path) -> CompactEncoder:
    """A trained encoder in evaluation mode, frozen; raises EncoderFileError."""
    return encoder_file.load(path, _KIND, lambda table: CompactEncoder(config_of(table)))
