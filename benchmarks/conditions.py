"""What a microphone, a room or a telephone does to a voice, the same at every run.

Samples are (N,) float32 at 16 kHz. Levels are powers averaged over the whole clip, pauses included.
"""

from collections.abc import Callable, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfiltfilt

from training.corpus.speech import SAMPLE_RATE_HZ

Samples = NDArray[np.float32]
Condition = Callable[[Samples], Samples]

NOISES_DB = (20, 10, 5)
TALKERS = 6
TELEPHONE_HZ = (300.0, 3400.0)
TELEPHONE_RATE_HZ = 8000
MU = 255.0
REVERBERATION_S = 0.5
QUIETER_DB = -30.0
MUSIC_DB = 10
# I, V, vi and IV in C major, as MIDI notes; each lasts a second.
CHORDS = ((48, 52, 55, 60), (43, 50, 55, 59), (45, 52, 57, 60), (41, 48, 53, 57))
CHORD_S = 1.0
HARMONICS = 8


def conditions(others: Sequence[Samples]) -> dict[str, Condition]:
    """Every condition by name; `others` are the voices that babble."""
    noises: dict[str, Condition] = {"clean": lambda samples: samples}
    for ratio_db in NOISES_DB:
        noises[f"white noise {ratio_db} dB"] = noisy(white, ratio_db)
    for ratio_db in NOISES_DB:
        noises[f"babble {ratio_db} dB"] = noisy(lambda count: babble(others, count), ratio_db)
    return noises | {
        "telephone, mu-law": telephone,
        f"room, {REVERBERATION_S} s": reverberant,
        f"gain {QUIETER_DB:.0f} dB, 16 bit": quieter,
        f"music {MUSIC_DB} dB": noisy(music, MUSIC_DB),
    }


def noisy(noise: Callable[[int], Samples], ratio_db: float) -> Condition:
    """The condition that adds noise of as many samples at a signal-to-noise ratio."""
    return lambda samples: with_noise(samples, noise(len(samples)), ratio_db)


def with_noise(samples: Samples, noise: Samples, ratio_db: float) -> Samples:
    """Samples plus noise (N,), scaled so that their mean powers are `ratio_db` apart."""
    gain = np.sqrt(power(samples) / power(noise) * 10 ** (-ratio_db / 10))
    return np.asarray(samples + gain * noise, np.float32)


def power(samples: Samples) -> float:
    """Mean square."""
    return float(np.mean(np.square(samples, dtype=np.float64)))


def white(count: int) -> Samples:
    """White noise of unit power or so."""
    return np.random.default_rng(0).standard_normal(count).astype(np.float32)


def babble(voices: Sequence[Samples], count: int) -> Samples:
    """As many as six voices at once, equally loud, each from a place of its own and repeated."""
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(voices))[:TALKERS]
    talking = [np.roll(voices[k], int(rng.integers(len(voices[k])))) for k in chosen]
    equal = [np.resize(one / np.sqrt(power(one)), count) for one in talking]
    return np.asarray(np.sum(equal, axis=0), np.float32)


def telephone(samples: Samples) -> Samples:
    """300 to 3400 Hz, sampled at 8 kHz in 8 bits by the mu-law (ITU-T G.711's curve)."""
    narrow = soxr.resample(in_band(samples), SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ)
    wide: Samples = soxr.resample(by_mu_law(narrow), TELEPHONE_RATE_HZ, SAMPLE_RATE_HZ)
    return np.resize(wide, len(samples))


def in_band(samples: Samples) -> Samples:
    """What the telephone's band leaves; zero-phase, so that nothing is late."""
    sections = butter(6, TELEPHONE_HZ, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfiltfilt(sections, samples), np.float32)


def by_mu_law(samples: Samples) -> Samples:
    """Samples in -1..1 rounded to 255 levels that lie closer where it is quiet."""
    pressed = np.sign(samples) * np.log1p(MU * np.minimum(np.abs(samples), 1.0)) / np.log1p(MU)
    rounded = np.round(pressed * 127) / 127
    return np.asarray(np.sign(rounded) * np.expm1(np.abs(rounded) * np.log1p(MU)) / MU, np.float32)


def reverberant(samples: Samples) -> Samples:
    """In a room whose sound falls by 60 dB in half a second and is as loud as the direct one."""
    time_s = np.arange(round(1.5 * REVERBERATION_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tail = np.random.default_rng(2).standard_normal(len(time_s)) * 10 ** (
        -3 * time_s / REVERBERATION_S
    )
    tail /= np.sqrt(np.sum(tail**2))
    room = fftconvolve(samples, tail)[: len(samples)]
    return np.asarray(0.5 * (samples + room), np.float32)


def quieter(samples: Samples) -> Samples:
    """30 dB down, in the steps of a 16-bit file."""
    steps = np.round(samples * 10 ** (QUIETER_DB / 20) * 32768)
    return np.asarray(steps / 32768, np.float32)


def music(count: int) -> Samples:
    """A piano-like progression of four chords, repeated."""
    time_s = np.arange(round(CHORD_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    progression = np.concatenate([_chord(notes, time_s) for notes in CHORDS])
    return np.resize(progression, count).astype(np.float32)


def _chord(notes: Sequence[int], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Notes struck together, each of harmonics that fall off; all fade."""
    hz = 440.0 * 2.0 ** ((np.array(notes) - 69) / 12)
    waves = [
        np.sin(2 * np.pi * k * tone * time_s) / k for tone in hz for k in range(1, HARMONICS + 1)
    ]
    struck = np.minimum(time_s / 0.01, 1.0) * np.exp(-2.0 * time_s)
    return np.asarray(struck * np.sum(waves, axis=0))
