"""A speech encoder that learns along with stage 2, as the paper has it (section 3.3)."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from backend import features as frame_features

from . import checkpoint
from .config import Recipe, RecipeError
from .encoders import table
from .encoders.interface import SAMPLE_RATE_HZ, SpeechEncoder

_NETWORK, _ENCODER = "denoiser.", "encoder."


class Listening(nn.Module):
    """Stage 2's network behind its encoder: what the network hears it hears as waveforms.

    The encoder stays in evaluation mode: its own dropout would come on top of the network's, and
    its masking draws from a generator that no checkpoint holds.
    """

    def __init__(self, denoiser: nn.Module, encoder: SpeechEncoder, fps: float) -> None:
        super().__init__()
        self.denoiser, self.encoder, self.fps = denoiser, encoder.eval(), fps
        encoder.unfreeze()

    def forward(self, noisy: Tensor, waveforms: Tensor, style: Tensor, step: Tensor) -> Tensor:
        """As the network's, with ``waveforms`` (B, N) of the frames of ``noisy`` (B, T, D)."""
        features = self.features(waveforms, noisy.shape[1])
        predicted: Tensor = self.denoiser(noisy, features, style, step)
        return predicted

    def features(self, waveforms: Tensor, frames: int) -> Tensor:
        """What is heard of waveforms (B, N), at the animation's frames (B, T, F)."""
        heard = self.encoder(waveforms)
        to_frames = frame_weights(heard.shape[1], self.encoder.rate_hz, frames, self.fps)
        return torch.einsum("ts,bsf->btf", to_frames.to(heard), heard)


@lru_cache(maxsize=64)
def frame_weights(heard: int, rate_hz: float, frames: int, fps: float) -> Tensor:
    """The runtime's way from ``heard`` features to frames as a matrix (T, S), for gradients."""
    rows = frame_features.to_frames(np.eye(heard, dtype=np.float32), rate_hz, frames, fps)
    return torch.from_numpy(rows)


def samples_of(frames: slice, fps: float) -> slice:
    """The samples of a waveform at 16 kHz that a crop's frames span."""
    start = round(frames.start / fps * SAMPLE_RATE_HZ)
    return slice(start, start + round((frames.stop - frames.start) / fps * SAMPLE_RATE_HZ))


def check(recipe: Recipe) -> None:
    """Only GLDiTalker's encoder learns along; raises RecipeError."""
    if recipe.speech.train and recipe.method != "gldi":
        message = f"speech.train is true, but the method is {recipe.method}"
        raise RecipeError(message, "its encoders are frozen: leave speech.train out")


def network_part(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's own weights of a checkpoint with or without an encoder in it."""
    own = _part(weights, _NETWORK)
    return own or dict(weights)


def ears(work: Path, recipe: Recipe) -> tuple[SpeechEncoder, ...]:
    """The encoders of a trained working folder, with what they learned along with stage 2.

    Raises RecipeError, CheckpointError, EncoderFileError.
    """
    found = table.ears(recipe, work)
    if recipe.speech.train:
        state = checkpoint.load(work / "stage2.pt", "train-stage2")
        found[0].load_state_dict(_part(state["ema"], _ENCODER))
    return found


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in weights.items()
            if name.startswith(prefix)}  # fmt: skip
