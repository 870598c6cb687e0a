"""Attention under the identity and the diffusion step (section 3.2, eqs. 10 and 11).

Both come as two tokens before the keys and values, which every frame may look at. Frames are
counted without them: as printed, eqs. 10 and 11 compare a frame's number with a key's number
tokens included, which would shift every window by two frames.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..attention import BLOCKED

TOKENS = 2


def period_bias(frames: int, slopes: Tensor, period: int, reach: int = 0) -> Tensor:
    """Eq. 10 as a bias (heads, T, 2 + T): -floor(|i - j| / period) * slope, 0 on the tokens.

    The paper prints it positive, which would favour what is far away; it is a decay, whose slopes
    are ALiBi's as in DiffSpeaker. Frames beyond ``reach`` are blocked, unless that is 0.
    """
    distance = _distance(frames, slopes)
    decay = torch.div(distance, period, rounding_mode="floor") * -slopes[:, None, None]
    if reach:
        decay = torch.where(distance > reach, torch.full_like(decay, BLOCKED), decay)
    return functional.pad(decay, (TOKENS, 0))


def window_bias(frames: int, like: Tensor, window: int) -> Tensor:
    """Eq. 11 as a bias (T, 2 + T): 0 on the tokens and where |i - j| <= window, else blocked."""
    beyond = _distance(frames, like) > window
    return functional.pad(beyond.to(like.dtype) * BLOCKED, (TOKENS, 0))


def _distance(frames: int, like: Tensor) -> Tensor:
    position = torch.arange(frames, device=like.device)
    return (position[:, None] - position[None, :]).abs().to(like.dtype)


class Attention(nn.Module):
    """Multi-head attention of frames (B, T, D) on a memory (B, M, D) with an additive bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.output = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)

    def forward(self, frames: Tensor, memory: Tensor, bias: Tensor | None = None) -> Tensor:
        key, value = (self._split(part) for part in self.key_value(memory).chunk(2, dim=-1))
        query = self._split(self.query(frames))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return cast(Tensor, self.output(mixed.transpose(1, 2).flatten(2)))

    def _split(self, vectors: Tensor) -> Tensor:
        batch, count, width = vectors.shape
        return vectors.reshape(batch, count, self.heads, width // self.heads).transpose(1, 2)
