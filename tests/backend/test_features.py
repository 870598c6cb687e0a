import numpy as np
import pytest

from backend import features


def test_a_frame_lies_between_the_features_around_it():
    ramp = np.arange(50, dtype=np.float32)[:, None]
    at_frames = features.to_frames(ramp, 50.0, 30, 30.0)
    assert at_frames[3, 0] == pytest.approx(3 * 50 / 30 - 0.5)
    assert at_frames[0, 0] == 0.0


@pytest.mark.parametrize(("activity", "spoken"), [(0.1, 0.0), (0.3, 0.5), (0.6, 1.0)])
def test_what_is_heard_counts_by_the_chance_of_speech(activity, spoken):
    heard, silence = np.full((20, 3), 2.0, np.float32), np.full(3, 1.0, np.float32)
    rested = features.resting(heard, np.full(20, activity, np.float32), silence, 50.0)
    np.testing.assert_allclose(rested, 1.0 + spoken, rtol=1e-6)


def test_a_word_keeps_its_faint_edges():
    activity = np.zeros(60, np.float32)
    activity[30] = 1.0
    heard, silence = np.ones((60, 1), np.float32), np.zeros(1, np.float32)
    rested = features.resting(heard, activity, silence, 50.0)[:, 0]
    assert np.flatnonzero(rested).tolist() == list(range(25, 36))


def test_the_middle_of_what_silence_sounds_like():
    assert features.middle(np.array([[1.0], [2.0], [9.0]], np.float32)) == 2.0
