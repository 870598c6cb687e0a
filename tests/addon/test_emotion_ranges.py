"""Painted emotions as numbers."""

import pytest

from backend.messages import EmotionSpan
from blender_addon import emotion_ranges
from blender_addon.emotion_ranges import Range


@pytest.mark.parametrize(("fps", "first_frame", "start_s", "end_s"), [
    (24.0, 10.0, 10 / 24, 30 / 24), (24 / 1.001, 10.0, 10.01 / 24, 30.03 / 24),
    (30.0, 0.5, 19.5 / 30, 39.5 / 30)])
def test_frames_become_seconds_of_the_sound(fps, first_frame, start_s, end_s):
    (span,) = emotion_ranges.spans([Range("happy", 0.8, 20, 40)], first_frame, fps)
    assert (span.name, span.intensity, span.weight) == ("happy", 0.8, 1.0)
    assert (span.start_s, span.end_s) == pytest.approx((start_s, end_s), abs=1e-12)


def test_a_range_that_begins_before_the_sound_has_no_start_and_one_that_ends_before_it_is_none():
    ranges = [Range("sad", 1.0, 0, 10), Range("happy", 1.0, 5, 40, fade_s=0.2)]
    assert emotion_ranges.spans(ranges, 10, 30) == (EmotionSpan("happy", 1.0, None, 1.0, 0.2),)


@pytest.mark.parametrize(("share", "weights"), [
    (0.0, [("happy", 1.0)]), (0.25, [("happy", 0.75), ("sad", 0.25)]), (1.0, [("sad", 1.0)])])
def test_a_blend_is_two_emotions_at_once_whose_weights_add_up_to_one(share, weights):
    given = Range("happy", 0.8, 0, 30, "sad", share)
    spans = emotion_ranges.spans([given], 0, 30)
    assert [(span.name, span.weight) for span in spans] == weights
    assert {(span.intensity, span.start_s, span.end_s) for span in spans} == {(0.8, None, 1.0)}


@pytest.mark.parametrize(("new", "left"), [
    ((0, 5), [(10, 20)]), ((5, 12), [(12, 20)]), ((18, 30), [(10, 18)]), ((10, 20), []),
    ((13, 15), [(10, 13), (15, 20)]), ((20, 25), [(10, 20)])])
def test_what_is_painted_over_gives_way(new, left):
    assert emotion_ranges.left_of((10, 20), new) == left


def test_strips_are_named_and_coloured_by_what_they_paint():
    assert emotion_ranges.name_of("happy", 0.8, "") == "happy 80%"
    assert emotion_ranges.name_of("happy", 0.8, "sad") == "happy + sad 80%"
    happy, sad = (emotion_ranges.colour_of(name, 1.0, "", 0.0) for name in ("happy", "sad"))
    half = emotion_ranges.colour_of("happy", 1.0, "sad", 0.5)
    assert half == pytest.approx([(a + b) / 2 for a, b in zip(happy, sad, strict=True)])
    assert len({emotion_ranges.colour_of(name, 1.0, "", 0.0) for name in ("joy", "awe")}) == 2
