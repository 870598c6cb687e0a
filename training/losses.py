"""Training losses, each a plain function of tensors; padded frames never count."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .config import Stage1Config


class Stage1Loss(NamedTuple):
    """The terms of paper eq. 6 (``reconstruction``, ``codebook``) and our optional ones."""

    total: Tensor
    reconstruction: Tensor
    codebook: Tensor


def stage1(
    config: Stage1Config,
    predicted: Tensor,
    target: Tensor,
    codebook: Tensor,
    present: Tensor,
    mouth: "Mouth",
) -> Stage1Loss:
    """L1 (eq. 7) + codebook loss (eq. 8), and lip, opening and velocity terms where weighted.

    ``predicted`` and ``target`` (B, T, V, 3); ``present`` (B, T).
    """
    error = predicted - target
    reconstruction = error.abs()[present].mean()
    total = reconstruction + codebook
    if config.lip_weight:
        total = total + config.lip_weight * error[:, :, mouth.lips].abs()[present].mean()
    if config.aperture_weight:
        gap = error[:, :, mouth.upper] - error[:, :, mouth.lower]
        total = total + config.aperture_weight * gap.abs()[present].mean()
    if config.velocity_weight:
        pairs = present[:, 1:] & present[:, :-1]
        total = total + config.velocity_weight * error.diff(dim=1).abs()[pairs].mean()
    return Stage1Loss(total, reconstruction.detach(), codebook.detach())


class Mouth(NamedTuple):
    """Vertex indices: the lips, and the upper and lower ends of the lip pairs."""

    lips: Tensor
    upper: Tensor
    lower: Tensor


class Stage2Loss(NamedTuple):
    """The terms of paper eq. 13."""

    total: Tensor
    latent: Tensor
    velocity: Tensor


def stage2(predicted: Tensor, target: Tensor, present: Tensor, weight: float) -> Stage2Loss:
    """Huber(x0) (eq. 14) + weight * Huber(frame differences) (eq. 15) on latents (B, T, H * C)."""
    latent = functional.huber_loss(predicted[present], target[present])
    pairs = present[:, 1:] & present[:, :-1]
    moved, meant = predicted.diff(dim=1)[pairs], target.diff(dim=1)[pairs]
    velocity = functional.huber_loss(moved, meant) if pairs.any() else torch.zeros(())
    return Stage2Loss(latent + weight * velocity, latent.detach(), velocity.detach())
