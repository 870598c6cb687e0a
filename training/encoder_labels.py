"""Frame labels for the speech encoder, from the phones of a clip."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.corpus.phones import (
    BILABIALS,
    LABIODENTALS,
    PHONE_INDEX,
    PHONES,
    SILENCE,
    UNVOICED,
    VISEME_OF,
    Phone,
)
from training.corpus.targets import GLIDE_TURN, GLIDES, TARGETS

LABEL_RATE_HZ = 200
_WIDEST_MM = TARGETS["AA"].opening_mm
_SMOOTHING_S = 0.060
_BITE_APERTURE = 0.12

VISEME_OF_PHONE = np.array([VISEME_OF[name] for name in PHONES])
VOICED_PHONE = np.array([name not in UNVOICED for name in PHONES])


class Labels(NamedTuple):
    """Per frame (T,): phone index, stressed (bool) and aperture (0 closed .. 1 as open as AA)."""

    phone: npt.NDArray[np.int64]
    stress: npt.NDArray[np.bool_]
    aperture: npt.NDArray[np.float32]


def frame_labels(phones: Sequence[Phone], seconds: float) -> Labels:
    """Labels at 200 Hz of phones that tile `seconds`."""
    times_s = np.arange(int(seconds * LABEL_RATE_HZ)) / LABEL_RATE_HZ
    starts = np.array([phone.start_s for phone in phones])
    which = np.clip(np.searchsorted(starts, times_s, side="right") - 1, 0, None)
    index = np.array([PHONE_INDEX[phone.name] for phone in phones])[which]
    stress = np.array([bool(phone.stress) for phone in phones])[which]
    return Labels(index, stress, _aperture(phones, which, times_s))


def _aperture(
    phones: Sequence[Phone], which: npt.NDArray[np.int64], times_s: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Each phone's typical opening, turning inside diphthongs, smoothed over 60 ms."""
    pairs = np.array([[_opening(name) for name in _shapes(phone)] for phone in phones])
    turns = np.array([p.start_s + GLIDE_TURN * (p.end_s - p.start_s) for p in phones])
    aperture = pairs[which, (times_s > turns[which]).astype(int)]
    width = round(_SMOOTHING_S * LABEL_RATE_HZ) | 1
    padded = np.pad(aperture, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, "valid").astype(np.float32)


def _shapes(phone: Phone) -> tuple[str, str]:
    """What a phone aims at in its first and second part."""
    return GLIDES.get(phone.name, (phone.name, phone.name))


def _opening(name: str) -> float:
    """Typical aperture of a phone, 0..1."""
    if name in BILABIALS or name == SILENCE:
        return 0.0
    return _BITE_APERTURE if name in LABIODENTALS else TARGETS[name].opening_mm / _WIDEST_MM
