"""The AD-VAE's spatial decoder: the spiral encoder upside down (ExpTalk section 3.1)."""

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from ..spiral import Level, rise
from ..spiral_conv import SpiralConv, lively


class SpiralDecoder(nn.Module):
    """The spiral encoder upside down: vectors (B, D) -> meshes (B, V, 3).

    An MLP gives the coarsest graph; each block up-samples and convolves, the last one to x, y, z.
    """

    def __init__(self, levels: list[Level], channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels = channels[: len(levels)]
        self.coarsest = (len(levels[-1].kept), channels[-1])
        flat = self.coarsest[0] * self.coarsest[1]
        self.spread = nn.Sequential(lively(nn.Linear(width, width)), nn.ELU(),
                                    lively(nn.Linear(width, flat)))  # fmt: skip
        sizes = list(zip((3, *channels[:-1]), channels, levels, strict=True))
        self.blocks = nn.ModuleList(RisingConv(b, a, level) for a, b, level in reversed(sizes))

    def forward(self, vectors: Tensor) -> Tensor:
        features = self.spread(vectors).reshape(-1, *self.coarsest)
        for block in self.blocks:
            features = block(nn.functional.elu(features))
        return cast(Tensor, features)


class RisingConv(nn.Module):
    """Features (B, M, C_in) on a level's coarse mesh -> (B, size_in, C_out) on its fine one."""

    sources: Tensor
    shares: Tensor

    def __init__(self, inputs: int, outputs: int, level: Level) -> None:
        super().__init__()
        up = rise(level)
        self.register_buffer("sources", torch.from_numpy(up.sources.reshape(-1)), persistent=False)
        shares = torch.from_numpy(up.weights[..., None].astype(np.float32))
        self.register_buffer("shares", shares, persistent=False)
        self.conv = SpiralConv(inputs, outputs, level.everywhere)

    def forward(self, features: Tensor) -> Tensor:
        near = features.index_select(1, self.sources)
        near = near.reshape(-1, *self.shares.shape[:2], features.shape[2])
        return cast(Tensor, self.conv((near * self.shares).sum(2)))
