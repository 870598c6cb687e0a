"""The forward process in torch, and the runtime's samplers around a torch network."""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend import sampler, schedule

from .denoiser import Denoiser
from .exptalk.rad import Rad

Array = NDArray[np.float32]


class Forward:
    """Adds noise to clean latents on the runtime's own schedule (paper eq. 9)."""

    def __init__(self, steps: int, device: torch.device | None = None) -> None:
        self.schedule = schedule.cosine(steps)
        kept = torch.from_numpy(self.schedule.alphas_cumprod)
        self.signal = kept.sqrt().float().to(device)
        self.noise = (1 - kept).sqrt().float().to(device)

    def noised(self, clean: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """x_n of clean x_0 (B, T, D) at each row's step (B,)."""
        return self.signal[step, None, None] * clean + self.noise[step, None, None] * noise


class Condition(NamedTuple):
    """What a sample is conditioned on: features (T, F) at the fps, style weights (S,)."""

    features: Array
    style: Array


@torch.no_grad()
def sample(
    model: Denoiser | Rad,
    condition: Condition,
    steps: int,
    seed: int,
    solve: sampler.Sampler = sampler.ddim,
) -> Array:
    """Latents (T, H * C) for one clip, by DDIM with eta 0 unless told; the seed fixes the noise."""
    features = torch.from_numpy(condition.features)[None]
    style = torch.from_numpy(condition.style)[None]

    def denoise(noisy: Array, step: int) -> Array:
        rows = torch.from_numpy(noisy)[None]
        clean: Array = model(rows, features, style, torch.tensor([step]))[0].numpy()
        return clean

    draw = sampler.gaussian(seed, (len(condition.features), model.output.out_features))
    return solve(denoise, draw, schedule.cosine(model.config.diffusion_steps), steps)
