"""AD-VAE: face motion split into what the words do and what the emotion does (section 3.1)."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from ..config import ExptalkConfig, Recipe, RecipeError, Stage1Config
from ..quantizer import Quantizer
from ..rig_file import Rig
from ..spiral import Floats, Ints, Level
from ..vqvae import (
    FaceEncoder,
    Reconstruction,
    mlp_decoder,
    spiral_encoder,
    spiral_levels,
    temporal,
)
from .contrast import Contrast
from .spiral_decoder import SpiralDecoder
from .traces import Traces


class Codebooks:
    """The branches' quantisers as one, whose component h draws from its own branch's codes."""

    def __init__(self, quantizers: tuple[Quantizer, ...]) -> None:
        self.quantizers = quantizers

    @property
    def codes(self) -> Tensor:
        """All codes (branches * N, C), in the branches' order."""
        return torch.cat([quantizer.codes for quantizer in self.quantizers])

    def nearest(self, vectors: Tensor) -> Tensor:
        """Numbers (..., H) of the nearest codes to vectors (..., H, C); H is that of all."""
        numbers, first = [], 0
        parts = vectors.chunk(len(self.quantizers), -2)
        for quantizer, own in zip(self.quantizers, parts, strict=True):
            numbers.append(first + quantizer.nearest(own))
            first += len(quantizer.codes)
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
        self.emotion_reach = options.emotion_reach
        self.branches = nn.ModuleList(
            FaceEncoder(config, spiral_encoder(config, levels))
            for _ in range(count)
        )
        self.from_latents = nn.Linear(count * flat, config.hidden)
        self.temporal_decoder = temporal(config)
        self.spatial_decoder = _spatial_decoder(config, options, levels)
        self.contrast = Contrast(options, flat, emotion_features) if options.disentangle else None
        erases = options.disentangle and options.traces_weight > 0
        self.traces = Traces(flat, emotion_features) if erases else None

    @property
    def encoders(self) -> list[FaceEncoder]:
        """The encoder of motion and, if any, that of emotion."""
        return [cast(FaceEncoder, branch) for branch in self.branches]

    @property
    def quantizers(self) -> tuple[Quantizer, ...]:
        """The codebook of each part."""
        return tuple(encoder.quantizer for encoder in self.encoders)

    @property
    def quantizer(self) -> Codebooks:
        """Both codebooks as one."""
        return Codebooks(self.quantizers)

    def decode(self, latents: Tensor, present: Tensor | None = None) -> Tensor:
        """Quantised latents (B, T, H * C) -> normalised motion (B, T, V, 3)."""
        settled = self._settled(latents, present)
        vectors = self.temporal_decoder(self.from_latents(settled), present)
        batch, frames = latents.shape[:2]
        meshes = self.spatial_decoder(vectors.flatten(0, 1))
        return cast(Tensor, meshes).reshape(batch, frames, -1, 3)

    def forward(self, motion: Tensor, present: Tensor, quantise: bool = True) -> Reconstruction:
        """Encode, quantise if wanted (eq. 3), decode; ``present`` (B, T) marks frames."""
        seen = self._seen(motion, present)
        parts = tuple(encoder.part(face, present)
                      for encoder, face in zip(self.encoders, seen, strict=True))  # fmt: skip
        carried = torch.cat([part.carried(quantise) for part in parts], 2)
        return Reconstruction(self.decode(carried.flatten(2), present), parts)

    def _settled(self, latents: Tensor, present: Tensor | None) -> Tensor:
        """Latents whose half of emotion is its mean over the frames that its encoder saw.

        Codes change from one frame to the next, where an emotion changes all of them at once.
        """
        if len(self.branches) == 1 or not self.emotion_reach:
            return latents
        words, emotion = latents.chunk(2, dim=-1)
        if present is None:
            present = torch.ones_like(latents[..., 0], dtype=torch.bool)
        return torch.cat([words, mean_around(emotion, present, self.emotion_reach)], dim=-1)

    @torch.no_grad()
    def codes_of(self, motion: Tensor) -> Tensor:
        """Quantised latents (T, H, C) of one whole motion (T, V, 3)."""
        seen = self._seen(motion[None], torch.ones(1, len(motion), dtype=torch.bool))
        codes = [encoder.codes_of(face[0])
                 for encoder, face in zip(self.encoders, seen, strict=True)]  # fmt: skip
        return torch.cat(codes, dim=1)

    def _seen(self, motion: Tensor, present: Tensor) -> list[Tensor]:
        """What each encoder sees of motion (B, T, V, 3)."""
        if len(self.branches) == 1 or not self.emotion_reach:
            return [motion] * len(self.branches)
        return [motion, mean_around(motion, present, self.emotion_reach)]


def mean_around(motion: Tensor, present: Tensor, reach: int) -> Tensor:
    """Motion (B, T, ...) as the mean over the frames present (B, T) within ``reach`` of each."""
    place = torch.arange(motion.shape[1], device=motion.device)
    near = (place[:, None] - place).abs() <= reach
    shares = (near & present[:, None]).to(motion.dtype)
    shares = shares / shares.sum(dim=2, keepdim=True).clamp(min=1)
    return (shares @ motion.flatten(2)).reshape(motion.shape)


def _spatial_decoder(
    config: Stage1Config, options: ExptalkConfig, levels: list[Level]
) -> nn.Module:
    if options.decoder == "mlp":
        return mlp_decoder(config, levels[0].size_in)
    if options.decoder != "spiral":
        message = f"exptalk.decoder is {options.decoder!r}"
        raise RecipeError(message, "it must be 'spiral' or 'mlp'")
    return SpiralDecoder(levels, config.spiral_channels, config.hidden)


def network(recipe: Recipe) -> dict[str, object]:
    """What ExpTalk's own settings make of a checkpoint's tensors."""
    section = recipe.exptalk
    made = {"disentangle": section.disentangle, "decoder": section.decoder,
            "heard": section.emotion_encoder}  # fmt: skip
    younger = {"traces": section.traces_weight > 0, "emotion_reach": section.emotion_reach}
    return made | {name: value for name, value in younger.items() if value}


def of(recipe: Recipe, rig: Rig, state: Mapping[str, Tensor]) -> AdVae:
    """A network whose sizes are those of a trained one's tensors."""
    weight = state.get("contrast.to_voice.weight")
    features = 0 if weight is None else len(weight)
    return AdVae(recipe.stage1, recipe.exptalk, rig.rest, rig.faces, features)
