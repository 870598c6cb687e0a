"""Spiral convolution: gather a vertex's spiral and apply one linear layer (paper eq. 3)."""

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from .config import RecipeError
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

    Each Spiral Block is a SpiralConv, an ELU and down-sampling. The coarsest graph is flattened and
    fused by an MLP; with ``fusion`` "all" so are the finer ones beside it, which the paper's
    "multi-scale features" may mean as well. Raises RecipeError.
    """

    def __init__(
        self, levels: list[Level], channels: tuple[int, ...], width: int, fusion: str = "coarsest"
    ) -> None:
        super().__init__()
        if fusion not in ("coarsest", "all"):
            raise RecipeError(f"stage1.fusion is {fusion!r}", "it must be 'coarsest' or 'all'")
        channels = channels[: len(levels)]
        sizes = zip((3, *channels[:-1]), channels, levels, strict=True)
        self.blocks = nn.ModuleList(SpiralConv(a, b, level.spirals) for a, b, level in sizes)
        self.fused = 1 if fusion == "coarsest" else len(levels)
        graphs = zip(levels[-self.fused :], channels[-self.fused :], strict=True)
        flat = sum(len(level.kept) * count for level, count in graphs)
        layers = (lively(nn.Linear(flat, width)), nn.ELU(), lively(nn.Linear(width, width)))
        self.fusion = nn.Sequential(*layers)

    def forward(self, meshes: Tensor) -> Tensor:
        graphs = [meshes]
        for block in self.blocks:
            graphs.append(nn.functional.elu(block(graphs[-1])))
        flat = torch.cat([graph.flatten(1) for graph in graphs[-self.fused :]], dim=1)
        return cast(Tensor, self.fusion(flat))


class MlpEncoder(nn.Module):
    """The ablation of paper Table 3: meshes (B, V, 3) -> vectors (B, D) without the graph."""

    def __init__(self, vertex_count: int, width: int) -> None:
        super().__init__()
        first, second = nn.Linear(vertex_count * 3, width), nn.Linear(width, width)
        self.layers = nn.Sequential(lively(first), nn.ELU(), lively(second))

    def forward(self, meshes: Tensor) -> Tensor:
        return cast(Tensor, self.layers(meshes.flatten(1)))
