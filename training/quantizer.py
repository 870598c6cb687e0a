"""The codebook: nearest code, straight-through gradient, usage, revival of dead codes."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

# A code used less than this share of an even use is dead.
DEAD_SHARE = 0.05
USAGE_MEMORY = 0.98


class Quantised(NamedTuple):
    """Quantised latents with straight-through gradients, code indices, codebook loss."""

    latents: Tensor
    indices: Tensor
    loss: Tensor


class Quantizer(nn.Module):
    """Replace each vector by the nearest of N codes (paper eq. 4), with the loss of eq. 8."""

    usage: Tensor

    def __init__(self, codes: int, channels: int, beta: float) -> None:
        super().__init__()
        self.beta = beta
        self.codes = nn.Parameter(torch.empty(codes, channels).uniform_(-1 / codes, 1 / codes))
        self.register_buffer("usage", torch.zeros(codes))

    def nearest(self, vectors: Tensor) -> Tensor:
        """Indices (...) of the nearest codes to vectors (..., C)."""
        squared = (self.codes**2).sum(1) - 2 * vectors @ self.codes.T
        return squared.argmin(-1)

    def forward(self, vectors: Tensor, present: Tensor) -> Quantised:
        """Quantise vectors (B, T, H, C); frames not ``present`` (B, T) count in no loss."""
        with torch.autocast(vectors.device.type, enabled=False):
            indices = self.nearest(vectors)
            chosen = self.codes[indices]
            codebook = (vectors.detach() - chosen) ** 2
            commitment = (vectors - chosen.detach()) ** 2
            each = (codebook + self.beta * commitment).mean((-1, -2))
            loss = (each * present).sum() / present.sum().clamp(min=1)
            return Quantised(vectors + (chosen - vectors).detach(), indices, loss)

    @torch.no_grad()
    def count(self, indices: Tensor) -> None:
        """Remember how often each code was used lately."""
        share = torch.bincount(indices.reshape(-1), minlength=len(self.codes)) / indices.numel()
        self.usage.mul_(USAGE_MEMORY).add_(share, alpha=1 - USAGE_MEMORY)

    @torch.no_grad()
    def revive(self, vectors: Tensor, rng: torch.Generator) -> int:
        """Move dead codes onto random rows of vectors (M, C); returns how many moved."""
        dead = torch.nonzero(self.usage < DEAD_SHARE / len(self.codes)).reshape(-1)
        rows = torch.randint(len(vectors), (len(dead),), generator=rng).to(vectors.device)
        self.codes[dead] = vectors[rows]
        self.usage[dead] = 1.0 / len(self.codes)
        return len(dead)
