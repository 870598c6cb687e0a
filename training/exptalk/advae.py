"""AD-VAE: face motion split into what the words do and what the emotion does (section 3.1)."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ..config import ExptalkConfig, Stage1Config
from ..quantizer import Quantised
from ..spiral import Floats, Ints
from ..vqvae import FaceEncoder, spiral_encoder, spiral_levels, temporal
from .contrast import Contrast
from .spiral_decoder import SpiralDecoder


class Part(NamedTuple):
    """One branch's continuous encodings z (B, T, N, C), and what its quantiser made of them."""

    latents: Tensor
    quantised: Quantised


class Split(NamedTuple):
    """Decoded normalised motion (B, T, V, 3) and its parts: of motion and, if any, of emotion."""

    motion: Tensor
    parts: tuple[Part, ...]


class Codebooks:
    """The branches' quantisers as one, whose component h draws from its own branch's codes."""

    def __init__(self, branches: list[FaceEncoder]) -> None:
        self.branches = branches

    @property
    def codes(self) -> Tensor:
        """All codes (branches * N, C), in the branches' order."""
        return torch.cat([branch.quantizer.codes for branch in self.branches])

    def nearest(self, vectors: Tensor) -> Tensor:
        """Numbers (..., H) of the nearest codes to vectors (..., H, C); H is that of all."""
        numbers, first = [], 0
        for branch, own in zip(self.branches, vectors.chunk(len(self.branches), -2), strict=True):
            numbers.append(first + branch.quantizer.nearest(own))
            first += len(branch.quantizer.codes)
        return torch.cat(numbers, -1)


class AdVae(nn.Module):
    """Motion (B, T, V, 3) <-> latents (B, T, H, C): those of motion first, then of emotion.

    H is twice the recipe's ``components``, or once where the emotion branch is left out (Table 3).
    ``emotion_features`` is the size K of what the voice's emotion encoder gives.
    """

    def __init__(
        self,
        config: Stage1Config,
        options: ExptalkConfig,
        vertices: Floats,
        faces: Ints,
        emotion_features: int,
    ) -> None:
        super().__init__()
        levels = spiral_levels(config, vertices, faces)
        count, flat = 1 + options.disentangle, config.components * config.channels
        self.shape = (count * config.components, config.channels)
        self.branches = nn.ModuleList(
            FaceEncoder(config, spiral_encoder(config, levels))
            for _ in range(count)
        )
        self.from_latents = nn.Linear(count * flat, config.hidden)
        self.temporal_decoder = temporal(config)
        self.spatial_decoder = SpiralDecoder(levels, config.spiral_channels, config.hidden)
        self.contrast = Contrast(options, flat, emotion_features) if options.disentangle else None

    @property
    def quantizer(self) -> Codebooks:
        """Both codebooks."""
        return Codebooks([cast(FaceEncoder, branch) for branch in self.branches])

    def decode(self, latents: Tensor, present: Tensor | None = None) -> Tensor:
        """Quantised latents (B, T, H * C) -> normalised motion (B, T, V, 3)."""
        vectors = self.temporal_decoder(self.from_latents(latents), present)
        batch, frames = latents.shape[:2]
        meshes = self.spatial_decoder(vectors.flatten(0, 1))
        return cast(Tensor, meshes).reshape(batch, frames, -1, 3)

    def forward(self, motion: Tensor, present: Tensor, quantise: bool = True) -> Split:
        """Encode, quantise if wanted (eq. 3), decode; ``present`` (B, T) marks frames."""
        parts = []
        for branch in self.quantizer.branches:
            latents = branch.encode(motion, present)
            parts.append(Part(latents, branch.quantizer(latents, present)))
        carried = [part.quantised.latents if quantise else part.latents for part in parts]
        return Split(self.decode(torch.cat(carried, 2).flatten(2), present), tuple(parts))

    @torch.no_grad()
    def codes_of(self, motion: Tensor) -> Tensor:
        """Quantised latents (T, H, C) of one whole motion (T, V, 3)."""
        return torch.cat([branch.codes_of(motion) for branch in self.quantizer.branches], dim=1)
