"""Speech features at the encoder's rate, brought to the animation's frames."""

import numpy as np
import numpy.typing as npt

from .motion import interpolate_rows


def to_frames(features: npt.NDArray[np.float32], rate_hz: float, frames: int,
              fps: float) -> npt.NDArray[np.float32]:
    """Features (S, F) at rate_hz -> (frames, F): frame j stands at j / fps seconds, feature k in
    the middle of its span at (k + 0.5) / rate_hz; linear between, held at both ends."""
    return interpolate_rows(features, np.arange(frames) * (rate_hz / fps) - 0.5)
