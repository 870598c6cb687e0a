"""The compact emotion encoder: what a voice's sound tells of its emotion, frame by frame.

It never hears words: fine low harmonics (pitch), a coarse log-mel spectrum (tilt, breath) and the
loudness, judged against the same voice's mean and spread over the seconds around.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from training import encoder_file
from training.config import EmotionConfig, OptimiserConfig
from training.corpus.emotions import EMOTIONS, NEUTRAL
from training.encoder import SAMPLES_PER_FEATURE, Block, Level, LogMel
from training.encoder_file import Kind
from training.encoders.interface import FEATURE_RATE_HZ, SAMPLE_RATE_HZ, SpeechEncoder

NAMES = tuple(EMOTIONS)
_HOP = SAMPLES_PER_FEATURE // 2
# 64 ms tell harmonics of 80 Hz apart; above 1.2 kHz they tell nothing new of the pitch.
_WINDOW, _HIGHEST_HZ = 1024, 1200.0
_BINS = round(_HIGHEST_HZ / SAMPLE_RATE_HZ * _WINDOW)
_FLOOR = 1e-6
_FAR_BELOW = 1e-3
# Makes chances vary about as much as other features do.
_SCALE = 4.0
_LEVEL_PAST_S, _LEVEL_AHEAD_S = 1.5, 1.5
_KIND = Kind("emotion encoder", "compact-emotion", "train-emotion")


# How awake each emotion is at full intensity, 0 asleep to 1 frantic: the order of Russell's
# circumplex (1980); the numbers are ours.
AROUSAL: Mapping[str, float] = {
    "neutral": 0.35, "happy": 0.70, "sad": 0.15, "surprised": 0.85, "fear": 0.80,
    "disgusted": 0.50, "angry": 0.95, "contempt": 0.40,
}  # fmt: skip


class EmotionHeads(NamedTuple):
    """Of each frame: emotions' logits (B, T, 8), intensity and arousal (B, T), both 0..1."""

    emotions: Tensor
    intensity: Tensor
    arousal: Tensor


class Harmonics(nn.Module):
    """Log power (B, bins, N // 160 + 1) of a waveform (B, N) below 1.2 kHz, level taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("fourier", torch.from_numpy(_fourier()), persistent=False)
        self.fourier: Tensor

    def forward(self, waveform: Tensor) -> Tensor:
        padded = functional.pad(waveform[:, None], (_WINDOW // 2, _WINDOW // 2))
        real, imaginary = functional.conv1d(padded, self.fourier, stride=_HOP).chunk(2, dim=1)
        power = real.square() + imaginary.square()
        # What lies far below the frame's mean is noise, and its depth would tell the level.
        power = torch.log(power + _FAR_BELOW * power.mean(dim=1, keepdim=True) + _FLOOR)
        return 0.25 * (power - power.mean(dim=1, keepdim=True))


class Surroundings(nn.Module):
    """Mean and spread (B, 2 C, T) of channels (B, C, T) over the frames around each frame."""

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        ones = torch.ones_like(x[:, :1])
        sums = self._summed(torch.cat([x, x.square(), ones], dim=1))
        # Divided by the frames that there are: padding at a clip's edges does not count.
        mean, square = (sums[:, :-1] / sums[:, -1:]).chunk(2, dim=1)
        return torch.cat([mean, torch.sqrt((square - mean.square()).clamp(min=1e-5))], dim=1)

    def _summed(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (self.reach, self.reach))
        return functional.avg_pool1d(padded, 2 * self.reach + 1, stride=1)


class EmotionEncoder(SpeechEncoder):
    """Waveform (B, N) at 16 kHz -> (B, N // 320, 10): eight emotions' chances, intensity, arousal.

    They are scaled by 4, so that they vary like other features; an artist's wish for an emotion
    can be put in their place as it is.
    """

    size = len(NAMES) + 2

    def __init__(self, config: EmotionConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        self.log_mel, self.harmonics = LogMel(config.mel_bands), Harmonics()
        self.level = Level(_LEVEL_PAST_S, _LEVEL_AHEAD_S)
        entering = config.mel_bands + _BINS + 1
        self.entry = nn.Conv1d(entering, channels, 5, stride=2, padding=2)
        self.blocks = nn.Sequential(*(Block(channels, d, config.dropout) for d in config.dilations))
        self.surroundings = Surroundings(round(config.memory_s * FEATURE_RATE_HZ))
        self.judge = nn.Sequential(
            nn.Conv1d(3 * channels, channels, 1),
            nn.BatchNorm1d(channels),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Conv1d(channels, len(NAMES) + 2, 1),
        )

    def forward(self, waveform: Tensor) -> Tensor:
        heads = self.listen(waveform)
        chances = torch.softmax(heads.emotions, dim=-1)
        rest = torch.stack([heads.intensity, heads.arousal], dim=-1)
        return _SCALE * torch.cat([chances, rest], dim=-1)

    def certain(self, name: str, amount: float) -> Tensor:
        """What it would say if it heard an emotion without doubt (10,), from neutral at 0 on."""
        one, calm = (functional.one_hot(torch.tensor(NAMES.index(kind)), len(NAMES))
                     for kind in (name, NEUTRAL))  # fmt: skip
        awake = arousal(torch.tensor(NAMES.index(name)), torch.tensor(amount))
        chances = calm + amount * (one - calm)
        return _SCALE * torch.cat([chances, torch.stack([torch.tensor(amount), awake])])

    def listen(self, waveform: Tensor) -> EmotionHeads:
        """What the heads say of a waveform (B, N), N // 320 frames."""
        return self.judged(self.log_mel(waveform), self.harmonics(waveform))

    def judged(self, mel: Tensor, harmonics: Tensor) -> EmotionHeads:
        """What the heads say of mel power (B, bands, 2 T + 1) and harmonics (B, bins, 2 T + 1)."""
        loudness = self.level(mel).mean(dim=1, keepdim=True)
        hidden = self.blocks(self.entry(torch.cat([self.level(mel), harmonics, loudness], dim=1)))
        said = self.judge(torch.cat([hidden, self.surroundings(hidden)], dim=1))
        # The entry makes N // 320 + 1 frames; the last one lies at the very end of the sound.
        frames = said[..., :-1].transpose(1, 2)
        intensity, arousal = torch.sigmoid(frames[..., -2:]).unbind(dim=-1)
        return EmotionHeads(frames[..., :-2], intensity, arousal)


def arousal(emotion: Tensor, intensity: Tensor) -> Tensor:
    """Arousal (0..1) of emotions' numbers at intensities: from the neutral one towards theirs."""
    table = torch.tensor([AROUSAL[name] for name in NAMES])
    calm = table[NAMES.index(NEUTRAL)]
    return calm + intensity * (table[emotion] - calm)


def _fourier() -> npt.NDArray[np.float32]:
    """Hann-windowed cosines and sines (2 bins, 1, window) of the bins 1 to 1.2 kHz."""
    time = np.arange(_WINDOW)
    window = 0.5 - 0.5 * np.cos(2 * math.pi * time / _WINDOW)
    angle = 2 * math.pi * np.outer(np.arange(1, _BINS + 1), time) / _WINDOW
    waves = np.concatenate([np.cos(angle), -np.sin(angle)]) * window
    return np.asarray(waves[:, None], np.float32)


def save(path: Path, encoder: EmotionEncoder, extra: dict[str, Any] | None = None) -> None:
    """Write an encoder and plain extra values (figures)."""
    encoder_file.save(path, _KIND, encoder, encoder.config, extra)


def load(path: Path) -> EmotionEncoder:
    """A trained emotion encoder in evaluation mode, frozen; raises EncoderFileError."""
    return encoder_file.load(path, _KIND, lambda table: EmotionEncoder(_config_of(table)))


def _config_of(table: dict[str, Any]) -> EmotionConfig:
    """The configuration from a file's plain values."""
    optimiser, dilations = OptimiserConfig(**table["optimiser"]), tuple(table["dilations"])
    return EmotionConfig(**(table | {"optimiser": optimiser, "dilations": dilations}))
