"""Random crops of clips, longer clips oftener: what every stage trains on."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

# A batch holds crops of which none is longer than another by more than this.
STRETCH = 1.25


class Crop(NamedTuple):
    """Frames [start, stop) of a clip; a clip shorter than asked for is taken whole."""

    clip: int
    start: int
    stop: int


def draw(rng: torch.Generator, lengths: Tensor, batch: int, frames: int) -> list[Crop]:
    """``batch`` crops of at most ``frames`` frames from clips of ``lengths`` (clips,) float.

    All are about equally long, so that little of a batch is padding: a bucket of clips first, by
    the frames it holds, then clips of that bucket. A clip is as likely as without buckets.
    """
    bucket = (torch.log(frames / lengths.clamp(max=frames)) / math.log(STRETCH)).floor()
    first = torch.multinomial(lengths, 1, generator=rng)
    alike = lengths * (bucket == bucket[first])
    chosen = torch.multinomial(alike, batch, replacement=True, generator=rng)
    return [_crop(rng, clip, int(lengths[clip]), frames) for clip in chosen.tolist()]


def longest(crops: list[Crop]) -> int:
    """Frames of a batch's longest crop."""
    return max(crop.stop - crop.start for crop in crops)


def present(crops: list[Crop], frames: int) -> Tensor:
    """Which frames (B, T) of a batch padded to ``frames`` belong to its crops."""
    counts = torch.tensor([crop.stop - crop.start for crop in crops])
    return torch.arange(frames)[None] < counts[:, None]


def stack(pieces: list[Tensor], frames: int) -> Tensor:
    """Pieces (t, ...), t at most ``frames``, as one batch (B, T, ...) padded with zeros."""
    padded = [torch.cat([p, p.new_zeros(frames - len(p), *p.shape[1:])]) for p in pieces]
    return torch.stack(padded)


def _crop(rng: torch.Generator, clip: int, length: int, frames: int) -> Crop:
    start = int(torch.randint(max(0, length - frames) + 1, (1,), generator=rng))
    return Crop(clip, start, min(start + frames, length))
