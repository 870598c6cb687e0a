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


def with_pause(spoken: Speech, at_s: float, length_s: float) -> Speech:
    """Insert digital silence at a time that lies in a pause (or at either end)."""
    at, length = round(at_s * SAMPLE_RATE_HZ), round(length_s * SAMPLE_RATE_HZ)
    gap = np.zeros(length, np.float32)
    samples = np.concatenate([spoken.samples[:at], gap, spoken.samples[at:]])
    phones = []
    for phone in spoken.phones:
        start_s, end_s = (
            edge + (length / SAMPLE_RATE_HZ if edge > at_s else 0.0)
            for edge in (phone.start_s, phone.end_s)
        )
        phones.append(Phone(phone.name, start_s, end_s, phone.stress))
    if at == 0:
        phones = shifted(spoken.phones, length / SAMPLE_RATE_HZ)
    return Speech(samples, tidy(phones, len(samples) / SAMPLE_RATE_HZ))


def joined(first: Speech, second: Speech) -> Speech:
    """One after the other."""
    samples = np.concatenate([first.samples, second.samples])
    phones = [*first.phones, *shifted(second.phones, first.seconds)]
    return Speech(samples, tidy(phones, len(samples) / SAMPLE_RATE_HZ))


def with_peak(spoken: Speech, peak: float) -> Speech:
    """Scale so that the loudest sample has the given magnitude."""
    loudest = max(float(np.abs(spoken.samples).max()), 1e-4)
    return Speech(spoken.samples * np.float32(peak / loudest), spoken.phones)
