import itertools

import numpy as np
import pytest

from training.datasets import join
from training.datasets.dataset import Clip
from training.datasets.join import Passage

CLIPS = [
    Clip(f"{who}_{n}", who, str(n), "train", emotion, 1, 0)
    for who in ("A", "B")
    for n, emotion in enumerate(["happy", "sad", "sad", "angry"])
]


def passage(frames, fps, level, emotion, extra_samples=0):
    """Motion at rest + `level`, sound constantly `level`, of about the motion's length."""
    samples = round(frames * 16000 / fps) + extra_samples
    return Passage(
        np.full(samples, level, np.float32),
        np.full((frames, 2, 3), level, np.float32),
        np.full(frames, emotion),
    )


def test_neighbours_differ_in_emotion_and_all_are_one_subjects():
    for seed in range(20):
        chosen = join.choose(CLIPS, 5, np.random.default_rng(seed))
        assert len({clip.subject for clip in chosen}) == 1
        pairs = itertools.pairwise(chosen)
        assert all(before.emotion != after.emotion for before, after in pairs)


def test_the_same_seed_chooses_the_same_clips():
    first, again = (join.choose(CLIPS, 6, np.random.default_rng(4)) for _ in range(2))
    assert first == again != join.choose(CLIPS, 6, np.random.default_rng(5))


def test_a_subject_of_one_emotion_gets_different_sentences():
    own = [clip for clip in CLIPS if clip.emotion == "sad" and clip.subject == "A"]
    chosen = join.choose(own, 4, np.random.default_rng(0))
    assert [clip.sentence for clip in chosen] in (["1", "2", "1", "2"], ["2", "1", "2", "1"])


def test_a_single_clip_joins_with_itself():
    assert join.choose(CLIPS[:1], 3, np.random.default_rng(0)) == CLIPS[:1] * 3


@pytest.mark.parametrize("fps", [25.0, 30.0, 30000 / 1001])
@pytest.mark.parametrize("extra", [-700, 0, 900])
def test_sound_and_motion_stay_together_to_the_sample(fps, extra):
    parts = [passage(31, fps, 0.25, 0, extra), passage(20, fps, 0.5, 1, extra)]
    joined = join.join([*parts, parts[0]], fps, transition_s=0.4)
    gap = round(0.4 * fps)
    assert len(joined.displacements) == len(joined.emotion) == 31 + gap + 20 + gap + 31
    assert len(joined.waveform) == round(len(joined.emotion) * 16000 / fps)
    for first, level in ((0, 0.25), (31 + gap, 0.5), (51 + 2 * gap, 0.25)):
        start = round(first * 16000 / fps)
        assert joined.waveform[start + 160] == level
        assert not joined.waveform[max(start - 200, 0) : start].any()
        assert (joined.displacements[first] == level).all()


def test_the_transition_eases_from_the_last_pose_to_the_first():
    joined = join.join([passage(2, 25, 0.0, 3), passage(2, 25, 1.0, 5)], 25, transition_s=3 / 25)
    # 3 t^2 - 2 t^3 at a quarter, half and three quarters.
    assert joined.displacements[2:5, 0, 0].tolist() == [0.15625, 0.5, 0.84375]
    assert joined.emotion.tolist() == [3, 3, 3, 3, 5, 5, 5]


def test_without_transition_clips_follow_each_other():
    joined = join.join([passage(3, 25, 0.1, 0), passage(2, 25, 0.9, 1)], 25, transition_s=0)
    assert joined.emotion.tolist() == [0, 0, 0, 1, 1]
    assert joined.waveform[3 * 640 - 1] < 0.01 and joined.waveform[2200] == np.float32(0.9)


def test_the_clips_themselves_are_not_changed():
    parts = [passage(3, 25, 0.5, 0), passage(3, 25, 0.25, 1)]
    join.join(parts, 25)
    assert (parts[0].waveform == 0.5).all() and (parts[1].displacements == 0.25).all()
