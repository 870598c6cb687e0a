from itertools import pairwise

import numpy as np
import pytest

from backend import emotions, errors, hearing, pack, pipeline
from backend.messages import EmotionSpan, Listen
from backend.sessions import Device
from tests.data import make_tiny_pack

FPS = 10
CPU = Device("cpu", "cpu")
# Features of one value: sad is heard below 0, happy above, neutral between.
COLOURS = emotions.Palette(
    ("sad", "neutral", "happy"), np.array([0, 0.5, 1], np.float32),
    np.array([[[0], [-1], [-2]], [[0], [0], [0]], [[0], [1], [2]]], np.float32))


def heard(*parts):
    """The lane heard in (frames, feature) parts."""
    felt = np.concatenate([np.full((frames, 1), feature, np.float32) for frames, feature in parts])
    return hearing.heard(felt, COLOURS, FPS)


def test_the_nearest_prototype_and_its_amount_are_found():
    emotion, amount = COLOURS.nearest(np.array([[-1.9], [-0.6], [0.4], [1.4]], np.float32))
    assert [COLOURS.names[number] for number in emotion[[0, 1, 3]]] == ["sad", "sad", "happy"]
    assert amount.tolist() == [1, 0.5, 0, 0.5]


def test_each_emotion_is_a_span_and_there_is_no_gap():
    assert heard((20, 2), (15, 0.1), (25, -1)) == (
        EmotionSpan("happy", 1.0, 0.0, 2.0), EmotionSpan("neutral", 1.0, 2.0, 3.5),
        EmotionSpan("sad", 0.5, 3.5, 6.0))


def test_a_span_is_as_intense_as_its_frames_on_average():
    (span,) = heard((10, 1), (30, 2))
    assert (span.name, span.intensity) == ("happy", 0.88)


def test_what_is_heard_for_a_moment_belongs_to_what_is_around_it():
    assert heard((20, 2), (4, -2), (20, 2)) == (EmotionSpan("happy", 1.0, 0.0, 4.4),)
    assert heard((20, 2), (7, -2), (20, 2)) == (EmotionSpan("happy", 1.0, 0.0, 4.7),)
    assert heard(*[(1, 2), (1, 2), (1, -2)] * 12) == (EmotionSpan("happy", 1.0, 0.0, 3.6),)


@pytest.mark.parametrize("frames", [1, 5, 9])
def test_a_short_sound_has_one_span(frames):
    assert heard((frames, 2)) == (EmotionSpan("happy", 1.0, 0.0, frames / FPS),)


def test_no_span_lasts_less_than_a_second_and_all_of_the_sound_is_told():
    rng = np.random.default_rng(3)
    for _ in range(20):
        lane = heard(*[(int(rng.integers(1, 25)), rng.normal(0, 2)) for _ in range(12)])
        lengths = [span.end_s - span.start_s for span in lane]
        assert len(lane) == 1 or min(lengths) >= hearing.LEAST_HEARD_S - 1e-9
        assert all(one.name != other.name for one, other in pairwise(lane))
        assert lane[0].start_s == 0 and all(
            one.end_s == other.start_s for one, other in pairwise(lane))


def test_without_a_still_emotion_a_calm_voice_has_any_at_no_intensity():
    colours = emotions.Palette(("sad", "happy"), COLOURS.amounts, COLOURS.prototypes[[0, 2]])
    (span,) = hearing.heard(np.zeros((20, 1), np.float32), colours, FPS)
    assert span == EmotionSpan("sad", 0.0, 0.0, 2.0)


@pytest.fixture
def falling(write_wav):
    """3 s of a sound whose mean, by which the tiny pack tells emotions, falls in the middle."""
    return write_wav(np.repeat(np.array([0, -0.98], np.float32), 24000))


@pytest.fixture
def listener(tmp_path):
    """A tiny pack for which half of the sound's mean is surprised, and half of it below 0 angry."""
    made = make_tiny_pack.make_emotional(tmp_path / "emotional")
    np.savez(made.path / "emotions.npz", amounts=np.array([0, 1], np.float32),
             prototypes=np.array([[[0], [0]], [[0], [0.5]], [[0], [-0.5]]], np.float32))
    return pipeline.Generator(pack.write(made.path, made.manifest), CPU)


def test_a_pack_with_emotions_hears_them_in_a_file(listener, falling):
    told = listener.hear(Listen("7", str(falling), ""))
    assert told.id == "7"
    assert [(span.name, span.intensity) for span in told.emotions] == [
        ("neutral", 1.0), ("angry", 1.0)]
    assert told.emotions[0].end_s == pytest.approx(1.5, abs=0.1)


def test_it_hears_the_part_that_it_is_asked_for(listener, falling):
    (later,) = listener.hear(Listen("7", str(falling), "", 1.6, 1.2)).emotions
    assert (later.name, later.start_s) == ("angry", 0.0)
    assert later.end_s == pytest.approx(1.2, abs=1 / 30)
    (quiet,) = listener.hear(Listen("7", str(falling), "", 1.6, 1.2, volume=0.4)).emotions
    assert quiet.name == "neutral"


def test_a_pack_without_emotions_says_so(tiny_pack, falling):
    generator = pipeline.Generator(pack.load(tiny_pack), CPU)
    with pytest.raises(errors.RequestError, match="'tiny-test' hears no emotions"):
        generator.hear(Listen("", str(falling), ""))


def test_a_lane_is_spelled_as_it_is_read():
    span = EmotionSpan("happy", 0.68, 0.0, 2.43)
    assert emotions.parse(emotions.spelled(span)) == span
