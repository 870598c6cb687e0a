"""What an emotion does to a voice's sound."""

import numpy as np
import pytest

from training.corpus import emotions, voice_quality
from training.corpus.voice_quality import Quality

RATE_HZ = 16000
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
BUZZ = (0.05 * sum(np.cos(2 * np.pi * 150 * k * TIME_S) for k in range(1, 40))).astype(np.float32)


def _coloured(quality: Quality, amount: float = 1.0) -> np.ndarray:
    return voice_quality.coloured(BUZZ, quality, amount, RATE_HZ, np.random.default_rng(0))


def _level_db(samples: np.ndarray, hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(20 * np.log10(spectrum[round(2 * hz) - 3 : round(2 * hz) + 4].max()))


@pytest.mark.parametrize("name", emotions.EMOTIONS)
def test_a_voice_stays_as_loud_and_as_long(name: str) -> None:
    voice = _coloured(emotions.EMOTIONS[name].voice)
    assert len(voice) == len(BUZZ)
    assert np.mean(voice**2) == pytest.approx(np.mean(BUZZ**2), rel=1e-3)


def test_each_emotion_but_neutral_changes_the_voice_and_no_two_alike() -> None:
    qualities = [emotion.voice for emotion in emotions.EMOTIONS.values()]
    assert len(set(qualities)) == len(qualities) == 8
    assert _coloured(emotions.EMOTIONS["neutral"].voice) is BUZZ
    assert _coloured(emotions.EMOTIONS["angry"].voice, 0.0) is BUZZ


def test_tilt_is_in_decibels_an_octave_and_goes_with_the_amount() -> None:
    plain = _level_db(BUZZ, 2400) - _level_db(BUZZ, 600)
    for amount in (0.4, 1.0):
        bright = _coloured(Quality(tilt_db=3.0), amount)
        tilted = _level_db(bright, 2400) - _level_db(bright, 600)
        assert tilted - plain == pytest.approx(2 * 3.0 * amount, abs=0.2)


def test_roughness_beats_at_its_rate() -> None:
    envelope = np.abs(_coloured(Quality(rough=0.8, rough_hz=30.0))).reshape(-1, 80).mean(axis=1)
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    assert int(spectrum[4:100].argmax() + 4) == 60  # 30 Hz in steps of half a hertz


def test_a_tremor_shakes_the_pitch_by_four_per_cent() -> None:
    tone = np.sin(2 * np.pi * 500 * TIME_S).astype(np.float32)
    shaken = voice_quality._trembling(tone, 1.0, RATE_HZ)
    crossings = np.flatnonzero(np.diff(np.signbit(shaken)))
    hz = 0.5 * RATE_HZ / np.diff(crossings[::10]) * 10
    assert hz.max() == pytest.approx(520, abs=6) and hz.min() == pytest.approx(480, abs=6)


def test_breath_hisses_between_the_harmonics_while_the_voice_sounds() -> None:
    voice = BUZZ.copy()
    voice[RATE_HZ:] = 0.0
    rng = np.random.default_rng(0)
    breathy = voice_quality.coloured(voice, Quality(breath=0.5), 1.0, RATE_HZ, rng)
    spectrum = np.abs(np.fft.rfft(breathy[:RATE_HZ])) ** 2
    between = spectrum[3000:6000][np.arange(3000) % 150 == 75].mean()
    plain = (np.abs(np.fft.rfft(voice[:RATE_HZ])) ** 2)[3000:6000][np.arange(3000) % 150 == 75]
    assert between > 100 * plain.mean()
    assert np.abs(breathy[RATE_HZ + 1000 :]).max() < 1e-12


def test_a_nasal_voice_lacks_what_lies_around_one_kilohertz() -> None:
    nasal = _coloured(Quality(nasal_db=12.0))
    dip = (_level_db(nasal, 1050) - _level_db(nasal, 3000)) - (
        _level_db(BUZZ, 1050) - _level_db(BUZZ, 3000)
    )
    assert dip == pytest.approx(-12.0, abs=0.6)
