"""What a synthesiser hands over: a waveform and the phones in it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from training.corpus.phones import Phone, shifted, tidy

SAMPLE_RATE_HZ = 16000


@dataclass(frozen=True)
class Speech:
    """Spoken text: samples (N,) float32 in [-1, 1] at 16 kHz, and phones that tile its length."""

    samples: npt.NDArray[np.float32]
    phones: list[Phone]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE_HZ


def speech(
    pcm: npt.NDArray[np.int16], rate_hz: int, phones: list[Phone], label_shift_s: float
) -> Speech:
    """Resample 16-bit samples (N,) to 16 kHz and move the labels by the synthesiser's offset."""
    samples = pcm.astype(np.float32) / 32768.0
    if rate_hz != SAMPLE_RATE_HZ:
        samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ)
    seconds = len(samples) / SAMPLE_RATE_HZ
    return Speech(samples, tidy(shifted(phones, label_shift_s), seconds))


def with_silence(spoken: Speech, before_s: float, after_s: float) -> Speech:
    """Put digital silence before and after the speech."""
    samples = np.pad(
        spoken.samples, (round(before_s * SAMPLE_RATE_HZ), round(after_s * SAMPLE_RATE_HZ))
    )
    phones = shifted(spoken.phones, round(before_s * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    return Speech(samples, tidy(phones, len(samples) / SAMPLE_RATE_HZ))
