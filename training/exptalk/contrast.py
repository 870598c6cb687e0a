"""Eq. 6: emotion encodings drawn to what the voice's emotion sounds like, motion encodings away."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..attention import BLOCKED
from ..config import ExptalkConfig


class Contrast(nn.Module):
    """The contrastive loss between a voice's emotion features (B, T, K) and a face's encodings.

    The paper does not say how encodings of N * C values meet features of K: here one linear layer,
    the same for both branches, carries encodings into the features' space. It has no constant of
    its own, which could serve one branch and fail the other.
    """

    def __init__(self, config: ExptalkConfig, encoding: int, features: int) -> None:
        super().__init__()
        self.config = config
        self.to_voice = nn.Linear(encoding, features, bias=False)

    def forward(self, voice: Tensor, motion: Tensor, emotion: Tensor, present: Tensor) -> Tensor:
        """The loss of encodings (B, T, N, C) over the frames present (B, T)."""
        near, far = (self.to_voice(part.flatten(2)) for part in (emotion, motion))
        options = self.config
        return info_nce(voice, near, far, present, options.temperature, options.positive_below,
                        options.unlike_is_enough)  # fmt: skip


def info_nce(
    voice: Tensor,
    near: Tensor,
    far: Tensor,
    present: Tensor,
    temperature: float,
    positive_below: bool = False,
    unlike_is_enough: bool = False,
) -> Tensor:
    """Eq. 6 on vectors (B, T, K): frame i of ``near`` is its positive, all ``far`` its negatives.

    As printed, the denominator holds the negatives alone, so the loss can fall below 0; with
    ``positive_below`` the positive joins them, as van den Oord et al. (2018) have it. Motion
    encodings that are opposite to the voice tell its emotion as well as alike ones do; with
    ``unlike_is_enough`` they gain nothing over those at right angles to it.
    """
    heard = functional.normalize(voice, dim=-1)
    alike = (heard * functional.normalize(near, dim=-1)).sum(-1) / temperature
    against = heard @ functional.normalize(far, dim=-1).transpose(1, 2) / temperature
    if unlike_is_enough:
        against = torch.relu(against)
    against = against + (~present)[:, None] * BLOCKED
    below = torch.logsumexp(against, dim=-1)
    if positive_below:
        below = torch.logaddexp(below, alike)
    return ((below - alike) * present).sum() / present.sum().clamp(min=1)
