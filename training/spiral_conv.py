"""Spiral convolution: gather a vertex's spiral and apply one linear layer (paper eq. 3)."""

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from .spiral import Ints, Level


def lively(linear: nn.Linear) -> nn.Linear:
    """Start a layer so that small motion keeps its size through a deep stack, with no bias.

    PyTorch's own start shrinks it by 0.58 a layer, and constants would drown it.
    """
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)
    return linear


class SpiralConv(nn.Module):
    """Features (B, V, C_in) -> (B, M, C_out) at the M vertices of ``spirals`` (M, length)."""

    spirals: Tensor

    def __init__(self, inputs: int, outputs: int, spirals: Ints) -> None:
        super().__init__()
        self.centres, self.length = spirals.shape
        flat = torch.from_numpy(np.ascontiguousarray(spirals).reshape(-1))
        self.register_buffer("spirals", flat, persistent=False)
        self.linear = lively(nn.Linear(inputs * self.length, outputs))

    def forward(self, features: Tensor) -> Tensor:
        gathered = features.index_select(1, self.spirals)
        width = self.length * features.shape[2]
        return cast(Tensor, self.linear(gathered.reshape(-1, self.centres, width)))


class SpiralEncoder(nn.Module):
    """Spatial pyramidal SpiralConv encoder (paper Fig. 3): meshes (B, V, 3) -> vectors (B, D).

    Each Spiral Block is a SpiralConv, an ELU and down-sampling; the coarsest graph is flattened and
    fused by an MLP.
    """

    def __init__(self, levels: list[Level], channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        sizes = zip((3, *channels), channels, levels, strict=False)
        self.blocks = nn.ModuleList(SpiralConv(a, b, level.spirals) for a, b, level in sizes)
        flat = len(levels[-1].kept) * channels[-1]
        layers = (lively(nn.Linear(flat, width)), nn.ELU(), lively(nn.Linear(width, width)))
        self.fusion = nn.Sequential(*layers)

    def forward(self, meshes: Tensor) -> Tensor:
        features = meshes
        for block in self.blocks:
            features = nn.functional.elu(block(features))
        return cast(Tensor, self.fusion(features.flatten(1)))


class MlpEncoder(nn.Module):
    """The ablation of paper Table 3: meshes (B, V, 3) -> vectors (B, D) without the graph."""

    def __init__(self, vertex_count: int, width: int) -> None:
        super().__init__()
        first, second = nn.Linear(vertex_count * 3, width), nn.Linear(width, width)
        self.layers = nn.Sequential(lively(first), nn.ELU(), lively(second))

    def forward(self, meshes: Tensor) -> Tensor:
        return cast(Tensor, self.layers(meshes.flatten(1)))
