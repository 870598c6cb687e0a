"""Speech features at the encoder's rate, brought to the animation's frames."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from .motion import interpolate_rows

# What an encoder hears of this much silence is, in the middle, what silence sounds like to it.
SILENCE_SAMPLES = 32000
HOLD_S = 0.1
# Chances of speech between which the mouth goes over from rest to what is heard.
SURELY_SILENT, SURELY_SPOKEN = 0.15, 0.45


def to_frames(features: npt.NDArray[np.float32], rate_hz: float, frames: int,
              fps: float) -> npt.NDArray[np.float32]:
    """Features (S, F) at rate_hz -> (frames, F): frame j stands at j / fps seconds, feature k in
    the middle of its span at (k + 0.5) / rate_hz; linear between, held at both ends."""
    return interpolate_rows(features, np.arange(frames) * (rate_hz / fps) - 0.5)


def resting(features: npt.NDArray[np.float32], activity: npt.NDArray[np.float32],
            silence: npt.NDArray[np.float32], rate_hz: float) -> npt.NDArray[np.float32]:
    """Features (S, F) turned into those of silence (F,) wherever nobody speaks, so that a mouth
    rests in breath and noise instead of mumbling; activity (S,) is the chance that somebody does.

    A frame counts as spoken when one within HOLD_S is, because words begin and end faintly.
    """
    reach = round(HOLD_S * rate_hz)
    near = sliding_window_view(np.pad(activity, reach, mode="edge"), 2 * reach + 1).max(axis=1)
    spoken = np.clip((near - SURELY_SILENT) / (SURELY_SPOKEN - SURELY_SILENT), 0.0, 1.0)[:, None]
    return np.asarray(silence + spoken * (features - silence), np.float32)


def middle(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The row (F,) in the middle of features (S, F)."""
    return np.asarray(features[len(features) // 2], np.float32)
