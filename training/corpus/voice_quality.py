"""How an emotion colours a voice beyond pitch, rate and loudness: tilt, breath, roughness, tremor.

Which emotion has which colour follows what studies of acted speech agree on (Banse and Scherer
1996; Juslin and Laukka 2003): anger is bright and harsh, sadness dull and breathy, fear trembles.
The amounts are ours: rules for a training corpus, not measurements of people.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

Samples = npt.NDArray[np.float32]
_TILT_FROM_HZ, _TILT_TO_HZ, _PIVOT_HZ = 150.0, 7000.0, 800.0
_BREATH_FROM_HZ = 1200.0
_ENVELOPE_S = 0.03
_TREMOR_HZ = 6.5
# A tremor of 1 shakes the pitch by 4 % and the loudness by 3 dB each way.
_TREMOR_PITCH, _TREMOR_DB = 0.04, 3.0
_NASAL_HZ, _NASAL_OCTAVES = 1000.0, 0.5
_MURMUR_HZ = 280.0


class Quality(NamedTuple):
    """A voice's colour at full intensity; the default changes nothing."""

    tilt_db: float = 0.0  # per octave: more is brighter
    breath: float = 0.0  # hiss of the voice's own loudness at 1
    rough: float = 0.0  # depth, 0..1, to which the loudness beats at rough_hz
    rough_hz: float = 70.0
    tremor: float = 0.0
    nasal_db: float = 0.0  # taken away around 1 kHz, half of it added to the murmur below


PLAIN = Quality()


def coloured(
    samples: Samples, quality: Quality, amount: float, rate_hz: int, rng: np.random.Generator
) -> Samples:
    """Samples (N,) in this quality by an amount of 0..1, as loud as before and as long."""
    if quality == PLAIN or amount == 0.0 or not samples.any():
        return samples
    voice = _trembling(samples, quality.tremor * amount, rate_hz)
    voice = _rough(voice, quality, amount, rate_hz)
    voice = voice + _breath(voice, quality.breath * amount, rate_hz, rng)
    voice = _filtered(voice, quality, amount, rate_hz)
    loudness = float(np.sqrt(np.mean(samples**2) / max(float(np.mean(voice**2)), 1e-12)))
    return np.asarray(voice * loudness, np.float32)


def _trembling(samples: Samples, tremor: float, rate_hz: int) -> Samples:
    """Pitch and loudness shaken a few times a second; no sample moves by more than 1 ms."""
    if tremor == 0.0:
        return samples
    turn = 2 * np.pi * _TREMOR_HZ
    time_s = np.arange(len(samples)) / rate_hz
    moved_s = time_s + tremor * _TREMOR_PITCH / turn * np.sin(turn * time_s)
    shaken = np.interp(moved_s, time_s, samples)
    return np.asarray(shaken * 10 ** (tremor * _TREMOR_DB / 20 * np.cos(turn * time_s)), np.float32)


def _rough(samples: Samples, quality: Quality, amount: float, rate_hz: int) -> Samples:
    """Loudness that beats: harsh at 70 Hz, creaking at 30."""
    beat = 0.5 + 0.5 * np.sin(2 * np.pi * quality.rough_hz * np.arange(len(samples)) / rate_hz)
    return np.asarray(samples * (1.0 - quality.rough * amount * beat), np.float32)


def _breath(voice: Samples, share: float, rate_hz: int, rng: np.random.Generator) -> Samples:
    """Hiss that is as loud, times the share, as the voice is at each moment."""
    width = max(round(_ENVELOPE_S * rate_hz), 1)
    envelope = np.sqrt(np.maximum(uniform_filter1d(voice.astype(np.float64) ** 2, width), 0.0))
    spectrum = np.fft.rfft(rng.standard_normal(len(voice)))
    hz = np.fft.rfftfreq(len(voice), 1 / rate_hz)
    hiss = np.fft.irfft(spectrum * np.minimum(hz / _BREATH_FROM_HZ, 1.0), len(voice))
    return np.asarray(share * envelope * hiss, np.float32)


def _filtered(voice: Samples, quality: Quality, amount: float, rate_hz: int) -> Samples:
    """Spectral tilt, and the dip and murmur of a nose that joins in."""
    hz = np.fft.rfftfreq(len(voice), 1 / rate_hz)
    octaves = np.log2(np.clip(hz, _TILT_FROM_HZ, _TILT_TO_HZ) / _PIVOT_HZ)
    away, murmur = (np.log2(np.maximum(hz, 1.0) / at) / _NASAL_OCTAVES
                    for at in (_NASAL_HZ, _MURMUR_HZ))  # fmt: skip
    nasal_db = quality.nasal_db * (0.5 * np.exp(-(murmur**2)) - np.exp(-(away**2)))
    gain = 10 ** (amount * (quality.tilt_db * octaves + nasal_db) / 20)
    return np.asarray(np.fft.irfft(np.fft.rfft(voice) * gain, len(voice)), np.float32)
