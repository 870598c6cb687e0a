"""The emotion benchmark's figures, from frames made by hand."""

import numpy as np
import pytest
import torch

from benchmarks import emotion
from benchmarks.emotion import Clip
from training.emotion_encoder import NAMES, EmotionHeads
from training.emotion_training import Judged


def _judged(meant: list[int], said: list[int], intensity: list[float]) -> Clip:
    strong = np.array(intensity, np.float32)
    return Clip("flite", Judged(np.array(meant), np.array(said), strong, 0.5 * strong, strong))


def test_frames_right_stand_beside_the_majority() -> None:
    row = emotion.row("all", [_judged([0, 0, 0, 1], [0, 0, 1, 1], [0.0, 0.0, 0.0, 1.0])])
    assert row["frames right"] == pytest.approx(0.75) and row["majority"] == pytest.approx(0.75)
    assert row["full intensity right"] == 1.0
    assert row["intensity correlation"] == row["arousal correlation"] == pytest.approx(1.0)


def test_each_row_of_the_confusion_sums_to_one() -> None:
    section = emotion.confusion([_judged([1, 1, 1, 2], [1, 1, 3, 2], [1.0] * 4)])
    happy = section.rows[1]
    assert happy["meant"] == NAMES[1]
    assert [happy[NAMES[k]] for k in (1, 3)] == pytest.approx([2 / 3, 1 / 3])


def test_pauses_of_a_recording_are_left_out() -> None:
    samples = np.concatenate([np.zeros(3200), 0.1 * np.ones(3200)]).astype(np.float32)
    assert np.flatnonzero(emotion._loud(samples, 20)).tolist() == list(range(10, 20))
    assert emotion._loud(np.zeros(3200, np.float32), 10).all()


def test_an_emotion_is_heard_once_its_colour_is_laid_over_a_recording() -> None:
    time_s = np.arange(16000) / 16000
    voice = sum(np.sin(2 * np.pi * 130 * k * time_s) / k for k in range(1, 40))
    rows = emotion.laid_over(_Bright(), {"a": (0.1 * voice).astype(np.float32)}).rows
    heard = {row["laid over"]: row["angry"] for row in rows}
    assert heard["angry"] == 1.0 and heard["neutral"] == heard["sad"] == 0.0


class _Bright:
    """An encoder that calls angry what has more than a thirtieth of its power above 3 kHz."""

    def listen(self, sound: torch.Tensor) -> EmotionHeads:
        power = torch.fft.rfft(sound).abs().square()[0]
        half = len(power) * 3 // 8
        bright = power[half:].sum() > power.sum() / 30
        logits = torch.zeros(1, sound.shape[1] // 320, len(NAMES))
        logits[..., NAMES.index("angry" if bright else "neutral")] = 1.0
        return EmotionHeads(logits, logits[..., 0], logits[..., 0])
