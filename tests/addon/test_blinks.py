"""When a speaker blinks."""

import numpy as np
import pytest

from blender_addon import blinks

LONG_S = 2000.0


def starts(**options):
    manner = blinks.Manner(**options)
    return np.array([blink.start_s for blink in blinks.blinks(LONG_S, [], [], manner)])


def test_intervals_vary_about_their_mean():
    gaps = np.diff(starts(interval_s=4.0))
    assert np.mean(gaps) == pytest.approx(4.0, rel=0.1)
    assert gaps.min() >= 1.0
    assert np.std(gaps) > 1.0


def test_a_rate_is_kept():
    assert len(starts(interval_s=2.0)) == pytest.approx(2 * len(starts(interval_s=4.0)), rel=0.15)


def test_the_same_seed_blinks_alike_and_another_one_otherwise():
    assert (starts(seed=3) == starts(seed=3)).all()
    assert starts(seed=3)[0] != starts(seed=4)[0]


def test_blinks_gather_at_the_ends_of_phrases():
    quiet = [(second + 0.0, second + 0.3) for second in range(3, 2000, 3)]
    made = blinks.blinks(LONG_S, quiet, [], blinks.Manner())
    resting = [any(start <= blink.start_s <= end for start, end in quiet) for blink in made]
    assert np.mean(resting) > 0.6  # a tenth of the time is quiet


def test_lids_fall_quicker_than_they_rise():
    made = blinks.blinks(LONG_S, [], [], blinks.Manner())
    assert all(0.10 <= blink.down_s <= 0.15 < blink.up_s <= 0.28 for blink in made)


def test_no_blink_is_added_where_the_performance_blinks_itself():
    own = [float(second) for second in range(0, 2000, 4)]
    made = blinks.blinks(LONG_S, [], own, blinks.Manner())
    assert all(abs(blink.start_s - moment) >= 0.8 for blink in made for moment in own)


def test_a_resting_mouth_is_found_and_a_short_halt_is_not():
    speed = np.ones(90)
    speed[30:60], speed[70:73] = 0.0, 0.0
    assert blinks.quiet_spans(speed, 30.0) == [(1.0, 2.0)]


def test_own_closures_are_found_at_their_peak():
    closure = np.zeros(60)
    closure[20:25] = [0.3, 0.8, 1.0, 0.7, 0.2]
    assert blinks.shut_moments(closure, 30.0) == [22 / 30]


def test_lowered_lids_are_shut_no_further_than_shut():
    points = blinks.keyframes([blinks.Blink(1.0, 0.1, 0.2)], np.full(60, 0.25), 30.0)
    np.testing.assert_allclose(points, [[30, 0], [33, 0.75], [34, 0.75], [40, 0]])
