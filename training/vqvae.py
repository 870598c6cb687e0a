"""Stage 1: the spatio-temporal VQ-VAE of face motion (paper section 3.2, Figs. 2 and 3)."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from .attention import TemporalTransformer
from .config import RecipeError, Stage1Config
from .quantizer import Quantised, Quantizer
from .spiral import Floats, Ints, Level, pyramid
from .spiral_conv import MlpEncoder, SpiralEncoder


class Part(NamedTuple):
    """An encoder's continuous latents Z (B, T, H, C), and what its quantiser made of them."""

    latents: Tensor
    quantised: Quantised

    def carried(self, quantise: bool) -> Tensor:
        """What goes on to the decoder."""
        return self.quantised.latents if quantise else self.latents


class Reconstruction(NamedTuple):
    """Decoded normalised motion (B, T, V, 3), and its part from each encoder."""

    motion: Tensor
    parts: tuple[Part, ...]


class FaceEncoder(nn.Module):
    """Normalised motion (B, T, V, 3) -> latents (B, T, H, C), and a codebook of N for them."""

    def __init__(self, config: Stage1Config, spatial_encoder: nn.Module) -> None:
        super().__init__()
        self.shape = (config.components, config.channels)
        self.spatial_encoder = spatial_encoder
        self.temporal_encoder = temporal(config)
        self.to_latents = nn.Linear(config.hidden, config.components * config.channels)
        self.quantizer = Quantizer(config.codes, config.channels, config.beta)

    def encode(self, motion: Tensor, present: Tensor | None = None) -> Tensor:
        """Motion (B, T, V, 3) -> continuous latents Z (B, T, H, C) (paper eq. 1)."""
        batch, frames = motion.shape[:2]
        vectors = self.spatial_encoder(motion.flatten(0, 1)).reshape(batch, frames, -1)
        latents = self.to_latents(self.temporal_encoder(vectors, present))
        return cast(Tensor, latents).float().reshape(batch, frames, *self.shape)

    def part(self, motion: Tensor, present: Tensor) -> Part:
        """Motion (B, T, V, 3) encoded and quantised; ``present`` (B, T) marks frames."""
        latents = self.encode(motion, present)
        return Part(latents, self.quantizer(latents, present))

    @torch.no_grad()
    def codes_of(self, motion: Tensor) -> Tensor:
        """Quantised latents (T, H, C) of one whole motion (T, V, 3)."""
        indices = self.quantizer.nearest(self.encode(motion[None]))[0]
        return self.quantizer.codes[indices]


class VqVae(FaceEncoder):
    """Normalised motion (B, T, V, 3) <-> latents (B, T, H, C) drawn from N codes."""

    def __init__(self, config: Stage1Config, vertices: Floats, faces: Ints) -> None:
        super().__init__(config, _spatial_encoder(config, vertices, faces))
        self.from_latents = nn.Linear(config.components * config.channels, config.hidden)
        self.temporal_decoder = temporal(config)
        self.spatial_decoder = mlp_decoder(config, len(vertices))

    def decode(self, latents: Tensor, present: Tensor | None = None) -> Tensor:
        """Quantised latents (B, T, H * C) -> normalised motion (B, T, V, 3) (paper eq. 5)."""
        vectors = self.temporal_decoder(self.from_latents(latents), present)
        batch, frames = latents.shape[:2]
        return cast(Tensor, self.spatial_decoder(vectors)).reshape(batch, frames, -1, 3)

    def forward(self, motion: Tensor, present: Tensor, quantise: bool = True) -> Reconstruction:
        """Encode, quantise if wanted, decode; ``present`` (B, T) marks frames, not padding."""
        part = self.part(motion, present)
        return Reconstruction(self.decode(part.carried(quantise).flatten(2), present), (part,))

    @property
    def quantizers(self) -> tuple[Quantizer, ...]:
        """The codebook of each part."""
        return (self.quantizer,)


def _spatial_encoder(config: Stage1Config, vertices: Floats, faces: Ints) -> nn.Module:
    if config.encoder == "mlp":
        return MlpEncoder(len(vertices), config.hidden)
    if config.encoder != "spiral":
        raise RecipeError(f"stage1.encoder is {config.encoder!r}", "it must be 'spiral' or 'mlp'")
    return spiral_encoder(config, spiral_levels(config, vertices, faces))


def spiral_encoder(config: Stage1Config, levels: list[Level]) -> SpiralEncoder:
    """Meshes (B, V, 3) -> vectors (B, hidden) over the given levels."""
    return SpiralEncoder(levels, config.spiral_channels, config.hidden, config.fusion)


def mlp_decoder(config: Stage1Config, vertex_count: int) -> nn.Sequential:
    """The spatial MLP decoder: vectors (..., hidden) -> (..., V * 3)."""
    layers = (nn.Linear(config.hidden, config.decoder_width), nn.ELU(),
              nn.Linear(config.decoder_width, vertex_count * 3))  # fmt: skip
    return nn.Sequential(*layers)


def spiral_levels(config: Stage1Config, vertices: Floats, faces: Ints) -> list[Level]:
    """The meshes that the spiral encoder walks, finest first; raises RecipeError."""
    most = len(config.spiral_channels)
    levels = config.levels or most
    if levels > most:
        message = f"stage1.levels is {levels}, spiral_channels has {most}"
        raise RecipeError(message, "give each level its channels")
    return pyramid(vertices, faces, levels, config.spiral_length, config.dilation, config.pooling)


def temporal(config: Stage1Config) -> TemporalTransformer:
    """A temporal transformer as both of stage 1's halves have."""
    return TemporalTransformer(
        config.hidden, config.layers, config.heads, config.feedforward, config.reach
    )
