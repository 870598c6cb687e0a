"""The lips that stage 1's decoder makes of latents, so that stage 2 can learn what they show.

A latent's distance says little of what is seen: the same one may move a lip or hardly anything.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import stage1
from .rig_file import Rig


class DecodedLips(nn.Module):
    """Latents of unit variance (B, T, H * C) -> lip vertices (B, T, L * 3), normalised; frozen.

    Only the lips' rows of the decoder's last layer are computed, a few hundred of many thousands.
    """

    def __init__(self, first: stage1.Trained, latent_scale: float, rig: Rig) -> None:
        super().__init__()
        decoder = cast(nn.Sequential, first.model.spatial_decoder)
        last, lips = cast(nn.Linear, decoder[-1]), torch.from_numpy(rig.masks["mask_lips"])
        self.latent_scale = latent_scale
        self.from_latents = first.model.from_latents
        self.temporal_decoder = first.model.temporal_decoder
        self.spatial_decoder = decoder[:-1]
        rows = lips[:, None].expand(-1, 3).flatten()
        self.register_buffer("weight", last.weight[rows].detach())
        self.register_buffer("bias", last.bias[rows].detach())
        self.weight: Tensor
        self.bias: Tensor
        self.requires_grad_(False)

    def forward(self, latents: Tensor, present: Tensor) -> Tensor:
        """Lips of the frames that ``present`` (B, T) marks."""
        hidden = self.from_latents(latents * self.latent_scale)
        vectors = self.spatial_decoder(self.temporal_decoder(hidden, present))
        return functional.linear(vectors, self.weight, self.bias)

    def error(self, predicted: Tensor, clean: Tensor, present: Tensor) -> Tensor:
        """Mean squared error of the predicted latents' lips, in units of the lips' variance."""
        with torch.no_grad():
            meant = self(clean, present)
        squared = (self(predicted, present) - meant).float().square().mean(-1)
        mean: Tensor = (squared * present).sum() / present.sum().clamp(min=1)
        return mean
