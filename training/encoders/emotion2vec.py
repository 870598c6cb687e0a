"""emotion2vec (Ma et al. 2023) base, as a plain torch network with its checkpoint's names.

A data2vec 2.0 audio network: convolutions, relative positions by convolutions, ten extra tokens,
four "prenet" and eight more post-norm transformer blocks whose attention decays with distance
(ALiBi, symmetric, one learned scale a head). Dropout and the pretraining decoder are left out.
"""

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import published
from .interface import SpeechEncoder, spanned, standardised

SIZE, CHANNELS, HEADS = 768, 512, 12
PRENET_BLOCKS, BLOCKS, EXTRA_TOKENS = 4, 8, 10
CONVOLUTIONS = ((10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2)  # kernel, stride
POSITION_LAYERS, POSITION_KERNEL, POSITION_GROUPS = 5, 19, 16
_EPS = 1e-5
_AUDIO = "modality_encoders.AUDIO."


class _Transpose(nn.Module):
    """(B, X, Y) -> (B, Y, X)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class _Attention(nn.Module):
    """Self-attention (B, T, 768) with a bias (heads, T, T) on its logits."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(SIZE, 3 * SIZE)
        self.proj = nn.Linear(SIZE, SIZE)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        parts = self.qkv(x).unflatten(-1, (3, HEADS, SIZE // HEADS)).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]
        logits = query * (SIZE // HEADS) ** -0.5 @ key.transpose(-2, -1) + bias
        mixed: Tensor = self.proj((logits.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))
        return mixed


class _Mlp(nn.Module):
    """Two linear layers, four times as wide between."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(SIZE, 4 * SIZE), nn.Linear(4 * SIZE, SIZE)

    def forward(self, x: Tensor) -> Tensor:
        widened: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return widened


class _Block(nn.Module):
    """A transformer block that normalises after each of its two sums."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(SIZE, eps=_EPS), _Attention()
        self.norm2, self.mlp = nn.LayerNorm(SIZE, eps=_EPS), _Mlp()

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.norm1(x + self.attn(x, bias))
        normed: Tensor = self.norm2(x + self.mlp(x))
        return normed


class _Convolutions(nn.Module):
    """Waveform (B, N) -> (B, 512, frames)."""

    def __init__(self) -> None:
        super().__init__()
        widths = [1, *[CHANNELS] * (len(CONVOLUTIONS) - 1)]
        self.conv_layers = nn.ModuleList(
            # Identity stands where the checkpoint's numbering has a dropout.
            nn.Sequential(
                nn.Conv1d(width, CHANNELS, kernel, stride, bias=False),
                nn.Identity(),
                nn.Sequential(_Transpose(), nn.LayerNorm(CHANNELS, eps=_EPS), _Transpose()),
                nn.GELU(),
            )
            for width, (kernel, stride) in zip(widths, CONVOLUTIONS, strict=True)
        )

    def forward(self, waveform: Tensor) -> Tensor:
        x = waveform[:, None]
        for layer in self.conv_layers:
            x = layer(x)
        return x


def _position_layer() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(
            SIZE, SIZE, POSITION_KERNEL, padding=POSITION_KERNEL // 2, groups=POSITION_GROUPS
        ),
        _Transpose(),
        nn.LayerNorm(SIZE, eps=_EPS, elementwise_affine=False),
        _Transpose(),
        nn.GELU(),
    )


class _Prenet(nn.Module):
    """The first blocks, with the norm that stands before them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(SIZE, eps=_EPS)
        self.blocks = nn.ModuleList(_Block() for _ in range(PRENET_BLOCKS))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.norm(x)
        for block in self.blocks:
            x = block(x, bias)
        return x


class _Audio(nn.Module):
    """Waveform (B, N) -> tokens (B, 10 + frames, 768) and the attention bias on them."""

    def __init__(self) -> None:
        super().__init__()
        self.local_encoder = _Convolutions()
        self.project_features = nn.Sequential(
            _Transpose(), nn.LayerNorm(CHANNELS, eps=_EPS), nn.Linear(CHANNELS, SIZE)
        )
        positions = [_position_layer() for _ in range(POSITION_LAYERS)]
        self.relative_positional_encoder = nn.Sequential(_Transpose(), *positions, _Transpose())
        self.extra_tokens = nn.Parameter(torch.randn(1, EXTRA_TOKENS, SIZE))
        self.alibi_scale = nn.Parameter(torch.ones(1, 1, HEADS, 1, 1))
        self.context_encoder = _Prenet()
        self.register_buffer("slopes", torch.tensor(alibi_slopes(HEADS)), persistent=False)
        self.slopes: Tensor

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        x = self.project_features(self.local_encoder(waveform))
        bias = self.bias(x)
        x = x + self.relative_positional_encoder(x)
        x = torch.cat([self.extra_tokens.expand(x.shape[0], -1, -1), x], dim=1)
        return self.context_encoder(x, bias), bias

    def bias(self, x: Tensor) -> Tensor:
        """(heads, 10 + T, 10 + T) for x (B, T, 768): 0 from and to the extra tokens."""
        frames = torch.arange(x.shape[1], device=x.device)
        distance = (frames[None] - frames[:, None]).abs().to(x.dtype)
        scale = self.alibi_scale[0, 0].clamp_min(0) * self.slopes[:, None, None]
        return functional.pad(-distance * scale, (EXTRA_TOKENS, 0, EXTRA_TOKENS, 0))


class Emotion2vec(SpeechEncoder):
    """Waveform (B, N) -> features (B, N // 320, 768) of emotion, from the last block."""

    def __init__(self) -> None:
        super().__init__()
        self.modality_encoders = nn.ModuleDict({"AUDIO": _Audio()})
        self.blocks = nn.ModuleList(_Block() for _ in range(BLOCKS))

    @property
    def size(self) -> int:
        """768."""
        return SIZE

    def forward(self, waveform: Tensor) -> Tensor:
        x, bias = self.modality_encoders["AUDIO"](spanned(standardised(waveform, _EPS)))
        for block in self.blocks:
            x = block(x, bias)
        features: Tensor = x[:, EXTRA_TOKENS:]
        return features


def alibi_slopes(heads: int) -> list[float]:
    """How fast each head's attention decays (Press et al. 2021).

    With no power of two, the rest are every second slope of twice as many heads.
    """
    whole = 2 ** math.floor(math.log2(heads))
    slopes = [2.0 ** (-8.0 * (head + 1) / whole) for head in range(whole)]
    return slopes if whole == heads else slopes + alibi_slopes(2 * whole)[::2][: heads - whole]


def load(weights: Path) -> Emotion2vec:
    """Read the published checkpoint; evaluation mode, frozen. Raises EncoderFileError."""
    tensors = published.read(weights)
    scale = tensors.get(_AUDIO + "alibi_scale")
    if scale is not None and scale.dim() == 4:  # as early checkpoints have it
        tensors[_AUDIO + "alibi_scale"] = scale[None]
    network = Emotion2vec()
    published.fill(network, tensors, weights)
    return network.eval().requires_grad_(False)
