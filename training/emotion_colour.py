"""The colour that a microphone and a room give a voice must tell the emotion encoder nothing.

A bright microphone is no anger, and the mean spectrum of recordings no calm: crops are heard
through random equalisers, and some of them in the colour of the other kind of sound.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import uniform_filter1d
from torch import Tensor
from torch.nn import functional

from training.encoder_sounds import chance, uniform

_DFT = 512
_BINS = _DFT // 2 + 1
_SMOOTH_BINS = 9  # 280 Hz: the colour, not the pitch of those who happened to speak
_STRONG = 0.5  # share of crops that are heard through the whole of their equaliser
_MILD = 0.3  # of its decibels, for the others: tilt is also a sign of emotion
_CROSSED = 0.5  # share of crops that are drawn towards the other kind's colour


def mean_spectrum_db(sounds: Sequence[npt.NDArray[np.int16]]) -> npt.NDArray[np.float64]:
    """Long-term spectrum in dB (257,), smooth, mean zero; each of the sounds (N,) counts alike."""
    levels_db = [10 * np.log10(_power(sound) + 1e-12) for sound in sounds]
    smooth = uniform_filter1d(np.mean(levels_db, axis=0), _SMOOTH_BINS, mode="nearest")
    return np.asarray(smooth - smooth.mean())


def _power(sound: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Mean power (257,) of a sound's frames of 32 ms."""
    whole = np.pad(sound / 32768.0, (0, -len(sound) % _DFT)).reshape(-1, _DFT)
    return np.asarray((np.abs(np.fft.rfft(whole * np.hanning(_DFT))) ** 2).mean(axis=0))


class Microphones:
    """Random microphones for crops of synthetic voices and of recordings."""

    def __init__(
        self,
        synthetic: Sequence[npt.NDArray[np.int16]],
        recorded: Sequence[npt.NDArray[np.int16]],
    ) -> None:
        apart_db = np.zeros(_BINS)
        if synthetic and recorded:
            apart_db = mean_spectrum_db(recorded) - mean_spectrum_db(synthetic)
        self.apart_db = torch.from_numpy(apart_db).float()

    def __call__(
        self, waveforms: Tensor, recorded: Tensor, gain: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Waveforms (B, N) through equalisers of power gain (B, 257), as loud as before.

        Half of them are drawn towards the mean spectrum of the kind that they are not: synthetic
        ones towards the recordings' and recorded (B,) ones towards the synthetic voices'.
        """
        strong = chance(rng, len(waveforms), _STRONG)[:, None]
        amount = chance(rng, len(waveforms), _CROSSED) * uniform(rng, len(waveforms), 0.0, 1.0)
        towards = amount * torch.where(recorded, -1.0, 1.0)
        curve_db = 10 * torch.log10(gain) * (strong + (1 - strong) * _MILD)
        return filtered(waveforms, curve_db + towards[:, None] * self.apart_db)


def filtered(waveforms: Tensor, curve_db: Tensor) -> Tensor:
    """Waveforms (B, N) through curves in dB (B, 257) from 0 to 8 kHz, as loud as before."""
    size = waveforms.shape[1]
    curve_db = functional.interpolate(
        curve_db[:, None], size=size // 2 + 1, mode="linear", align_corners=True
    )[:, 0]
    heard = torch.fft.irfft(torch.fft.rfft(waveforms) * 10 ** (curve_db / 20), n=size)
    power = [sound.square().mean(dim=1, keepdim=True) for sound in (waveforms, heard)]
    louder: Tensor = heard * torch.sqrt(power[0] / power[1].clamp(min=1e-12))
    return louder
