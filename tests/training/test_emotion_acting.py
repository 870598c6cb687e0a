"""Recordings that act by the corpus' rules."""

import numpy as np
import pytest
import torch

from training import emotion_acting
from training.corpus import emotions
from training.emotion_acting import Role
from training.emotion_encoder import NAMES


def test_every_emotion_but_neutral_is_drawn_at_every_intensity() -> None:
    rng = torch.Generator().manual_seed(0)
    roles = {emotion_acting.drawn(rng) for _ in range(400)}
    assert roles == {Role(name, amount) for name in NAMES[1:] for amount in emotions.AMOUNTS[1:]}


def test_speed_lies_between_what_tempo_and_pitch_ask_for() -> None:
    assert emotion_acting.speed(Role("sad", 1.0)) == pytest.approx((0.82 * 2 ** (-1.5 / 12)) ** 0.5)
    assert 1.05 < emotion_acting.speed(Role("surprised", 1.0)) < 2 ** (4.0 / 12)
    assert emotion_acting.speed(Role("angry", 0.0)) == 1.0


def test_an_angry_recording_is_brighter_and_a_sad_one_duller_at_the_same_loudness() -> None:
    rng = torch.Generator().manual_seed(0)
    sound = 0.1 * torch.randn(32000, generator=rng)
    tilt = {}
    for name in ("angry", "sad"):
        heard = emotion_acting.coloured(sound, Role(name, 1.0), rng)
        power = np.abs(np.fft.rfft(heard.numpy())) ** 2
        tilt[name] = 10 * np.log10(power[8000:].mean() / power[:2000].mean())
        assert float(heard.square().mean()) == pytest.approx(0.01, rel=0.05)
    assert tilt["angry"] > 6.0 and tilt["sad"] < -6.0
