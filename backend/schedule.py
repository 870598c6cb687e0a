"""The noise schedule, as float64 tables that training and inference share.

Step n of 0..N-1 mixes clean x0 and noise e: x_n = sqrt(a[n]) x0 + sqrt(1 - a[n]) e.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import RequestError

_OFFSET = 0.008
_MAX_BETA = 0.999


@dataclass(frozen=True)
class Schedule:
    """`alphas_cumprod` (N,) float64: the share of the clean signal's variance left at step n."""

    alphas_cumprod: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.alphas_cumprod)


def cosine(steps: int) -> Schedule:
    """The cosine schedule of Nichol and Dhariwal 2021, eq. (17), offset 0.008, betas at most
    0.999."""
    curve = [math.cos((n / steps + _OFFSET) / (1 + _OFFSET) * math.pi / 2) ** 2
             for n in range(steps + 1)]
    betas = np.minimum(1 - np.array(curve[1:]) / np.array(curve[:-1]), _MAX_BETA)
    return Schedule(np.cumprod(1 - betas))


def timesteps(schedule: Schedule, steps: int) -> npt.NDArray[np.int64]:
    """`steps` steps evenly spaced from N-1 down to 0 (a single one is N-1); raises RequestError
    when there are not that many."""
    if not 1 <= steps <= len(schedule):
        raise RequestError("bad_steps", f"{steps} sampling steps were asked for.",
                           f"Choose 1 to {len(schedule)}.")
    evenly = np.linspace(len(schedule) - 1, 0, steps)
    return np.asarray(np.round(evenly), dtype=np.int64)
