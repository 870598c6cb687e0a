"""Training losses, each a plain function of tensors; padded frames never count."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from .config import Stage1Config


class Mouth(NamedTuple):
    """Where the mouth is: 1 on lip vertices (V,) else 0, and the lip pairs' vertex indices (P,)."""

    lips: Tensor
    upper: Tensor
    lower: Tensor


class UpperFace(NamedTuple):
    """Vertices of the eyes and the brows (U,), and each one's weight (U,) in the squared error.

    A weight is the inverse of the region's variance and size, so that lids and brows count alike.
    """

    vertices: Tensor
    weights: Tensor


class Stage1Loss(NamedTuple):
    """The sum to minimise, and its term of paper eq. 7."""

    total: Tensor
    reconstruction: Tensor


def stage1(
    config: Stage1Config,
    predicted: Tensor,
    target: Tensor,
    present: Tensor,
    mouth: Mouth,
    upper_face: UpperFace,
) -> Stage1Loss:
    """L1 of motion (B, T, V, 3) (eq. 7); where weighted also of the lips, their gap and velocity.

    The paper has the first term alone; the others make lips close when training is short. Eyes and
    brows have a squared error: L1 settles on the median, which for a lid that blinks is "open".
    """
    error = predicted - target
    size = error.abs().mean(-1)
    reconstruction = _mean(size.mean(-1), present)
    lips = _mean(size @ (mouth.lips / mouth.lips.sum()), present)
    total = reconstruction + config.lip_weight * lips
    if config.aperture_weight:
        gap = error.index_select(2, mouth.upper) - error.index_select(2, mouth.lower)
        total = total + config.aperture_weight * _mean(gap.abs().mean((-1, -2)), present)
    if config.upper_weight:
        squared = error.index_select(2, upper_face.vertices).square().mean(-1)
        total = total + config.upper_weight * _mean(squared @ upper_face.weights, present)
    if config.velocity_weight:
        pairs = present[:, 1:] & present[:, :-1]
        change = error.diff(dim=1).abs().mean((-1, -2))
        total = total + config.velocity_weight * _mean(change, pairs)
    return Stage1Loss(total, reconstruction.detach())


class Stage2Loss(NamedTuple):
    """The terms of paper eq. 13."""

    total: Tensor
    latent: Tensor
    velocity: Tensor


def stage2(predicted: Tensor, target: Tensor, present: Tensor, weight: float) -> Stage2Loss:
    """Huber(x0) (eq. 14) + weight * Huber(frame differences) (eq. 15) on latents (B, T, H * C)."""
    latent = _mean(functional.huber_loss(predicted, target, reduction="none").mean(-1), present)
    pairs = present[:, 1:] & present[:, :-1]
    moved, meant = predicted.diff(dim=1), target.diff(dim=1)
    velocity = _mean(functional.huber_loss(moved, meant, reduction="none").mean(-1), pairs)
    return Stage2Loss(latent + weight * velocity, latent.detach(), velocity.detach())


def _mean(values: Tensor, present: Tensor) -> Tensor:
    """Mean of per-frame values (B, T) over the frames present."""
    return (values * present).sum() / present.sum().clamp(min=1)
