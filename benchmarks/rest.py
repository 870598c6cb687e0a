"""Whether the mouth rests while nobody speaks: silence, breath, and sounds that do not change."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.conditions import Samples, power, white
from benchmarks.hearing import Ear
from benchmarks.tables import Row, Section
from benchmarks.voices import Voice
from training.corpus.speech import SAMPLE_RATE_HZ
from training.encoder import FEATURE_RATE_HZ

Floats = NDArray[np.float64]

REST_SHARE = 0.05
SECONDS = 20.0
LEVELS_DBFS = (-50, -30)
HUM_HZ = 50.0
# A breath in, loudest around where a neutral vocal tract lets air hiss, and the wait for the next.
BREATH_S, BREATH_EVERY_S = 0.8, 2.5
BREATH_PEAKS_HZ = (600.0, 1700.0, 2800.0)
# After speech: long enough to have set the encoder's level; the mouth may take a moment to shut.
SPEECH_S, SHUTTING_S = 5.0, 0.3
NOTE = (
    "Share of frames whose aperture stays under 5 % of the range that real speech spans (its 5th "
    f"to 95th percentile): {SECONDS:.0f} s of the sound alone, and right after {SPEECH_S:.0f} s of "
    f"speech, the first {SHUTTING_S} s left out. Levels in dB below full scale, of the power."
)


class Range(NamedTuple):
    """The 5th and the 95th percentile of the aperture over real speech."""

    low: float
    high: float

    @property
    def span(self) -> float:
        """What 100 % means."""
        return self.high - self.low


def speech_range(ear: Ear, voices: Sequence[Voice]) -> Range:
    """The aperture's range over clips."""
    openings = np.concatenate([ear.aperture(voice.samples) for voice in voices])
    return Range(*(float(edge) for edge in np.percentile(openings, (5.0, 95.0))))


def share_at_rest(opening: Floats, spanned: Range) -> float:
    """Share of frames (T,) less than 5 % of the range above its lower end; NaN of none."""
    if not len(opening):
        return float("nan")
    return float(np.mean(opening - spanned.low < REST_SHARE * spanned.span))


def section(ear: Ear, spanned: Range, speech: Voice) -> Section:
    """Every sound at every level, alone and after speech."""
    count = round(SECONDS * SAMPLE_RATE_HZ)
    lead_in = speech.samples[: round(SPEECH_S * SAMPLE_RATE_HZ)]
    rows = [_row(ear, spanned, "digital silence", np.zeros(count, np.float32), lead_in)]
    for name, make in SOUNDS.items():
        sound = make(count)
        for level_dbfs in LEVELS_DBFS:
            loud = at_level(sound, level_dbfs)
            rows.append(_row(ear, spanned, f"{name}, {level_dbfs} dB", loud, lead_in))
    return Section("rest", "At rest", rows, NOTE)


def _row(ear: Ear, spanned: Range, name: str, sound: Samples, lead_in: Samples) -> Row:
    shares = [share_at_rest(opening, spanned) for opening in _alone_and_after(ear, sound, lead_in)]
    heads = Ear(ear.network, rests=False)
    plain = [share_at_rest(opening, spanned) for opening in _alone_and_after(heads, sound, lead_in)]
    return {
        "sound": name,
        "alone": shares[0],
        "after speech": shares[1],
        "heads alone": plain[0],
        "heads after speech": plain[1],
    }


def _alone_and_after(ear: Ear, sound: Samples, lead_in: Samples) -> tuple[Floats, Floats]:
    """The aperture during a sound by itself, and once the mouth has shut after speech."""
    after = ear.aperture(np.concatenate([lead_in, sound]))
    shut = round((len(lead_in) / SAMPLE_RATE_HZ + SHUTTING_S) * FEATURE_RATE_HZ)
    return ear.aperture(sound), after[shut:]


def at_level(sound: Samples, level_dbfs: float) -> Samples:
    """The sound with a mean power so far from that of a constant 1."""
    return np.asarray(sound * 10 ** (level_dbfs / 20) / np.sqrt(power(sound)), np.float32)


def pink(count: int) -> Samples:
    """Noise whose power falls by 3 dB an octave above 20 Hz."""
    spectrum = np.fft.rfft(np.random.default_rng(3).standard_normal(count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 20.0)
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(hz), count), np.float32)


def hum(count: int) -> Samples:
    """The mains: 50 Hz and its harmonics, the odd ones stronger."""
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    waves = [np.sin(2 * np.pi * k * HUM_HZ * time_s) / (k if k % 2 else 3 * k)
             for k in range(1, 13)]  # fmt: skip
    return np.asarray(np.sum(waves, axis=0), np.float32)


def breath(count: int) -> Samples:
    """Breaths in: noise through three broad resonances, swelling and fading."""
    hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    shape = sum(1.0 / (1.0 + ((hz - peak) / 500.0) ** 2) for peak in BREATH_PEAKS_HZ)
    noise = np.fft.irfft(np.fft.rfft(np.random.default_rng(4).standard_normal(count)) * shape,
                         count)  # fmt: skip
    phase = (np.arange(count) / SAMPLE_RATE_HZ) % BREATH_EVERY_S / BREATH_S
    swell = np.where(phase < 1.0, np.sin(np.pi * np.minimum(phase, 1.0)) ** 2, 0.0)
    return np.asarray(noise * swell, np.float32)


SOUNDS: dict[str, Callable[[int], Samples]] = {
    "breath": breath,
    "white noise": white,
    "pink noise": pink,
    "hum": hum,
}
