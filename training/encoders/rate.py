"""From an encoder's 50 features a second to the animation's frames, as the papers do it."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .interface import SpeechEncoder


class SideBySide(SpeechEncoder):
    """An encoder whose features stand with their neighbours: (B, N // 320, n * F).

    FaceDiffuser, and GLDiTalker after it, give each frame the n = ceil(rate / fps) features of its
    time side by side instead of their mean: at 25 fps two features as they are, at 30 fps two read
    by linear interpolation at twice the frame rate. Here each feature carries what stands n-ths of
    a frame around it, and whoever brings features to frames needs to know nothing of it. The price:
    what was interpolated here is interpolated again there, a little smoother than the papers' way.
    """

    def __init__(self, encoder: SpeechEncoder, fps: float) -> None:
        super().__init__()
        self.encoder, self.rate_hz = encoder, encoder.rate_hz
        count = max(1, math.ceil(encoder.rate_hz / fps))
        spacing = encoder.rate_hz / (count * fps)
        self.offsets = tuple((place - (count - 1) / 2) * spacing for place in range(count))

    @property
    def size(self) -> int:
        """n times the encoder's."""
        return len(self.offsets) * self.encoder.size

    def unfreeze(self) -> None:
        """As the encoder does."""
        self.encoder.unfreeze()

    def forward(self, waveform: Tensor) -> Tensor:
        features = self.encoder(waveform)
        return torch.cat([moved(features, offset) for offset in self.offsets], dim=-1)


def moved(features: Tensor, offset: float) -> Tensor:
    """Features (B, S, F) read ``offset`` features later: linear between, held at both ends."""
    reach = math.ceil(abs(offset))
    if reach == 0:
        return features
    held = functional.pad(features.transpose(1, 2), (reach, reach), mode="replicate")
    first, part = reach + math.floor(offset), offset - math.floor(offset)
    earlier = held[..., first : first + features.shape[1]]
    if part == 0:
        return earlier.transpose(1, 2)
    later = held[..., first + 1 : first + 1 + features.shape[1]]
    return torch.lerp(earlier, later, part).transpose(1, 2)
