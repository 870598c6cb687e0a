"""Microphones of the emotion encoder's training: colour changes, loudness and who speaks do not."""

import numpy as np
import pytest
import torch

from training import emotion_colour
from training.emotion_colour import Microphones


def _noise(slope: float, seed: int) -> np.ndarray:
    """A second of noise whose power falls by this many decibels from 0 to 8 kHz."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(16000))
    falling = spectrum * 10 ** (-slope * np.linspace(0, 1, len(spectrum)) / 20)
    sound = np.fft.irfft(falling, 16000)
    return (8000 * sound / np.abs(sound).max()).astype(np.int16)


def _tilt_db(sounds: torch.Tensor) -> np.ndarray:
    """How much louder each row's upper half of the spectrum is than its lower."""
    power = torch.fft.rfft(sounds).abs().square().numpy()
    return 10 * np.log10(power[:, 4000:].mean(axis=1) / power[:, :4000].mean(axis=1))


def test_the_mean_spectrum_is_the_sounds_own() -> None:
    dull = emotion_colour.mean_spectrum_db([_noise(30.0, k) for k in range(4)])
    assert dull.shape == (257,) and dull.mean() == pytest.approx(0.0, abs=1e-9)
    assert dull[20] - dull[236] == pytest.approx(30.0 * 216 / 256, abs=1.5)


def test_a_filter_changes_the_colour_and_not_the_loudness() -> None:
    sound = torch.from_numpy(_noise(0.0, 0)[None] / 32768).float()
    brighter = emotion_colour.filtered(sound, torch.linspace(0, 20, 257)[None])
    assert float(brighter.square().mean()) == pytest.approx(float(sound.square().mean()), rel=1e-4)
    assert (_tilt_db(brighter) - _tilt_db(sound))[0] == pytest.approx(10.0, abs=1.0)
    same = emotion_colour.filtered(sound, torch.zeros(1, 257))
    assert float((same - sound).abs().max()) < 1e-5


def test_each_kind_is_drawn_towards_the_other_kinds_colour() -> None:
    dull, bright = [_noise(24.0, k) for k in range(3)], [_noise(0.0, k) for k in range(3)]
    microphones = Microphones(synthetic=dull, recorded=bright)
    rows = np.stack([*dull, *bright] * 20) / 32768
    sounds, recorded = torch.from_numpy(rows).float(), torch.arange(120) % 6 >= 3
    rng = torch.Generator().manual_seed(0)
    heard = microphones(sounds, recorded, torch.ones(120, 257), rng)
    change_db = _tilt_db(heard) - _tilt_db(sounds)
    assert change_db[~recorded].min() > -0.1 and change_db[recorded].max() < 0.1
    for kind in (recorded, ~recorded):
        moved = np.abs(change_db[kind])
        assert 0.3 < (moved > 0.1).mean() < 0.7 and moved.max() == pytest.approx(12.0, abs=2.5)


def test_without_recordings_only_the_equalisers_colour() -> None:
    microphones = Microphones([_noise(24.0, 0)], [])
    sounds = torch.from_numpy(np.stack([_noise(10.0, 1)] * 4) / 32768).float()
    rng = torch.Generator().manual_seed(0)
    heard = microphones(sounds, torch.zeros(4, dtype=torch.bool), torch.ones(4, 257), rng)
    assert float((heard - sounds).abs().max()) < 1e-5
