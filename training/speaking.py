"""What can be made to speak and be measured: the networks of a working folder, or a pack."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from backend import audio, emotions, pack, pipeline, sampler, sessions, styles
from backend.messages import EmotionSpan

from . import diffusion, latents, listening, spaces, stage2
from .config import Recipe
from .corpus.speech import SAMPLE_RATE_HZ
from .encoders.interface import SpeechEncoder
from .rig_file import Array, Rig
from .spaces import Space


class Speaker(Protocol):
    """Speech in, motion out."""

    @property
    def fps(self) -> float: ...

    def speak(self, samples: Array, style: str, seed: int, steps: int | None) -> Array:
        """A waveform (N,) at 16 kHz -> displacements (T, V, 3), metres."""
        ...


class Networks(NamedTuple):
    """Everything trained, in torch."""

    space: Space
    second: stage2.Trained
    ears: tuple[SpeechEncoder, ...]
    fps: float
    default_steps: int
    sampler: str

    def speak(self, samples: Array, style: str, seed: int, steps: int | None) -> Array:
        """As `Speaker.speak`; ``None`` takes the recipe's steps."""
        frames = int(np.ceil(len(samples) / SAMPLE_RATE_HZ * self.fps - 1e-6))
        features = latents.heard_by(self.ears, samples, frames, self.fps)
        condition = diffusion.Condition(features, styles.weights(style, self.second.styles))
        wanted = self.default_steps if steps is None else steps
        solve = sampler.named(self.sampler)
        clean = diffusion.sample(self.second.model, condition, wanted, seed, solve)
        return self.space.decode(torch.from_numpy(clean)).motion


def networks(work: Path, recipe: Recipe, rig: Rig) -> Networks:
    """The trained networks of a working folder; raises CheckpointError, EncoderFileError."""
    second = stage2.load(work, recipe)
    space, ears = spaces.of(work, recipe, rig, second), listening.ears(work, recipe)
    export = recipe.export
    return Networks(space, second, ears, recipe.fps, export.sampler_steps, export.sampler)


class PackSpeaker:
    """A model pack, spoken through the same runtime that Blender uses."""

    def __init__(self, name_or_path: str) -> None:
        """Open a pack; raises PackError."""
        self.pack = pack.load(pack.find(name_or_path))
        self._generator = pipeline.Generator(self.pack, sessions.choose_device("cpu"))

    @property
    def fps(self) -> float:
        """The pack's frames per second."""
        return self.pack.manifest.fps

    def speak(
        self,
        samples: Array,
        style: str,
        seed: int,
        steps: int | None,
        lane: Sequence[EmotionSpan] = (),
    ) -> Array:
        """As `Speaker.speak`; a style that the pack has not is its first, and the voice's own
        emotion rules where the lane is empty."""
        known = style if style in self.pack.manifest.styles else None
        sound = self._sound(samples)
        return self._generator.generate(sound, seed, steps, known, lane).displacements

    def felt(self, samples: Array) -> Array:
        """What a pack with emotions hears of the voice's emotion (T, K), at the pack's frames."""
        return self._generator.listen(self._sound(samples))[:, self.pack.manifest.features.size :]

    @property
    def palette(self) -> emotions.Palette:
        """What the pack's emotions sound like; raises PackError."""
        return emotions.palette(self.pack)

    def _sound(self, samples: Array) -> audio.Sound:
        rate_hz = self.pack.manifest.sample_rate_hz
        return audio.Sound(samples, rate_hz, len(samples) / rate_hz)

    @property
    def rest(self) -> Array:
        """The rest pose that the pack shows (V, 3), metres; raises PackError."""
        return self._reference("rest").astype(np.float32)

    @property
    def lip_pairs(self) -> NDArray[np.int32]:
        """Upper and lower inner-lip vertices (P, 2); raises PackError."""
        return self._reference("lip_pairs").astype(np.int32)

    def _reference(self, name: str) -> NDArray[Any]:
        with self.pack.open("reference.npz") as file, np.load(file) as arrays:
            found: NDArray[Any] = arrays[name]
            return found
