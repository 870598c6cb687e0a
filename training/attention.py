"""Attention with the field's biases: causal and symmetric decay, alignment, padding.

A bias is added to the attention scores, so it is never positive: 0 leaves a pair alone, BLOCKED
forbids it. (PyTorch's boolean masks have the opposite sense, True = blocked; none is used here.)
"""

from typing import cast

import torch
from torch import Tensor, nn

# Finite, so that a row with nothing to attend to gives an average and not a NaN.
BLOCKED = -1e9


def slopes(heads: int) -> Tensor:
    """ALiBi's head slopes (heads,): 1/4, 1/16, 1/64, 1/256 for four heads."""
    return 2.0 ** (-8.0 * torch.arange(1, heads + 1) / heads)


def causal_bias(frames: int, head_slopes: Tensor, period: int, reach: int = 0) -> Tensor:
    """Bias (heads, T, T) of FaceFormer: -floor((i - j) / period) * slope, the future blocked.

    So is the past beyond ``reach`` frames, unless that is 0.
    """
    lag = _lag(frames, head_slopes)
    decay = torch.div(lag, period, rounding_mode="floor") * -head_slopes[:, None, None]
    blocked = (lag < 0) | (lag > reach) if reach else lag < 0
    return torch.where(blocked, torch.full_like(decay, BLOCKED), decay)


def local_bias(frames: int, head_slopes: Tensor, reach: int) -> Tensor:
    """Bias (heads, T, T): -|i - j| * slope, blocked beyond ``reach`` frames.

    A hard reach keeps long sequences exactly like the short crops of training.
    """
    distance = _lag(frames, head_slopes).abs()
    decay = distance * -head_slopes[:, None, None]
    return torch.where(distance > reach, torch.full_like(decay, BLOCKED), decay)


def padding_bias(present: Tensor) -> Tensor:
    """Bias (B, 1, 1, T) that blocks frames where ``present`` (B, T) is False."""
    return (~present).to(torch.float32)[:, None, None, :] * BLOCKED


def _lag(frames: int, like: Tensor) -> Tensor:
    position = torch.arange(frames, device=like.device)
    return (position[:, None] - position[None, :]).to(like.dtype)


class SelfAttention(nn.Module):
    """Multi-head self-attention over frames (B, T, D) with an additive bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, frames: Tensor, bias: Tensor) -> Tensor:
        batch, count, width = frames.shape
        split = self.project(frames).reshape(batch, count, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return cast(Tensor, self.output(mixed.transpose(1, 2).reshape(batch, count, width)))


class AlignedAttention(nn.Module):
    """Cross-attention under the diagonal alignment mask: frame t attends to speech frame t alone.

    Its softmax runs over that single frame, so its weight is 1 whatever query and key say: value
    and output projections are all that is left, and all that is built.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)

    def forward(self, speech: Tensor) -> Tensor:
        return cast(Tensor, self.output(self.value(speech)))


def feed_forward(width: int, inner: int, dropout: float = 0.0) -> nn.Sequential:
    """Two linear layers with a GELU between them."""
    layers = (nn.Linear(width, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, width))
    return nn.Sequential(*layers)


class EncoderLayer(nn.Module):
    """One pre-norm transformer encoder layer over frames (B, T, D)."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.norm_attention, self.norm_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.forward_layers = feed_forward(width, inner)

    def forward(self, frames: Tensor, bias: Tensor) -> Tensor:
        frames = frames + self.attention(self.norm_attention(frames), bias)
        return frames + cast(Tensor, self.forward_layers(self.norm_forward(frames)))


class TemporalTransformer(nn.Module):
    """Transformer encoder layers that look ``reach`` frames to each side."""

    slopes: Tensor

    def __init__(self, width: int, layers: int, heads: int, inner: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.register_buffer("slopes", slopes(heads), persistent=False)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, inner) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, frames: Tensor, present: Tensor | None = None) -> Tensor:
        bias = local_bias(frames.shape[1], self.slopes, self.reach)[None]
        if present is not None:
            bias = bias + padding_bias(present)
        for layer in self.layers:
            frames = layer(frames, bias)
        return cast(Tensor, self.norm(frames))
