"""Diffusion samplers as plain functions of a callable that predicts the clean signal.

`denoise(noisy, n)` predicts x0 from x_n at step n; `draw()` gives fresh standard normal noise, so
that whoever seeds it decides the result; `on_step(done, total)` runs after each step and may raise
Cancelled. Arrays keep the dtype of what `draw` gives.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from .schedule import Schedule, timesteps

Floats = npt.NDArray[np.float32]
Denoise = Callable[[Floats, int], Floats]
Draw = Callable[[], Floats]
OnStep = Callable[[int, int], None]
# (x_n, x0, a at n, a at the step before) -> x at the step before
_Advance = Callable[[Floats, Floats, float, float], Floats]


def gaussian(seed: int, shape: tuple[int, ...]) -> Draw:
    """Standard normal float32 arrays of `shape`, one after another, fixed by the seed."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return lambda: generator.standard_normal(shape, dtype=np.float32)


def ddim(denoise: Denoise, draw: Draw, schedule: Schedule, steps: int, eta: float = 0.0,
         on_step: OnStep | None = None) -> Floats:
    """Song et al. 2021, eq. (12), for x0-prediction; eta 0 draws noise once, eta 1 is DDPM."""

    def advance(noisy: Floats, clean: Floats, a: float, before: float) -> Floats:
        sigma = eta * math.sqrt((1 - before) / (1 - a) * (1 - a / before))
        noise = (noisy - math.sqrt(a) * clean) / math.sqrt(1 - a)
        kept = math.sqrt(max(0.0, 1 - before - sigma**2))
        moved: Floats = math.sqrt(before) * clean + kept * noise
        return moved + sigma * draw() if sigma > 0 else moved

    return _descend(denoise, draw(), schedule, steps, advance, on_step)


def ddpm(denoise: Denoise, draw: Draw, schedule: Schedule, steps: int,
         on_step: OnStep | None = None) -> Floats:
    """Ho et al. 2020, eq. (6) and (7), for x0-prediction; fewer steps than the schedule's use the
    posterior between the steps kept."""

    def advance(noisy: Floats, clean: Floats, a: float, before: float) -> Floats:
        alpha = a / before
        from_clean = math.sqrt(before) * (1 - alpha) / (1 - a)
        from_noisy = math.sqrt(alpha) * (1 - before) / (1 - a)
        sigma = math.sqrt((1 - alpha) * (1 - before) / (1 - a))
        mean: Floats = from_clean * clean + from_noisy * noisy
        return mean + sigma * draw()

    return _descend(denoise, draw(), schedule, steps, advance, on_step)


def _descend(denoise: Denoise, noise: Floats, schedule: Schedule, steps: int, advance: _Advance,
             on_step: OnStep | None) -> Floats:
    """From pure noise down the chosen steps; the last prediction of x0 is the result."""
    chosen = [int(n) for n in timesteps(schedule, steps)]
    noisy = clean = noise
    for done, n in enumerate(chosen, start=1):
        clean = denoise(noisy, n)
        if done < steps:
            # Python floats, because a NumPy 2 float64 scalar would turn the arrays to float64.
            a, before = (float(schedule.alphas_cumprod[m]) for m in (n, chosen[done]))
            noisy = advance(noisy, clean, a, before)
        if on_step:
            on_step(done, steps)
    return clean
