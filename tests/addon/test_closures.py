"""Closures of the lips survive the way to the scene's frame rate."""

import numpy as np
import pytest

from backend import motion
from blender_addon import closures, exact, face, takes

RATES = (23.976, 24.0, 25.0, 29.97, 30.0, 48.0, 60.0)
PAIRS = np.array([[0, 1]], dtype=np.int32)


def speaking(seconds=20):
    """Two lips at 30 fps, open by 8 mm but for closures of one and two frames; those frames."""
    rise = np.zeros((seconds * 30, 2, 3), dtype=np.float32)
    rise[:, 1, 1] = -8e-3
    starts = np.arange(7, len(rise) - 7, 11)
    rise[starts, 1, 1] = rise[starts[::2] + 1, 1, 1] = 1e-4
    return rise, starts


def test_every_closure_has_its_frame():
    rise, starts = speaking()
    np.testing.assert_array_equal(closures.moments(rise, PAIRS), starts)


def test_a_near_miss_counts_and_a_wide_dip_does_not():
    aperture = np.full(100, 8e-3, dtype=np.float32)
    aperture[[20, 50, 80]] = 0.0, 2e-3, 5e-3
    assert closures.narrowest(aperture).tolist() == [20, 50]


@pytest.mark.parametrize("late_frames", (0.0, 0.3, 0.5))
@pytest.mark.parametrize("fps", RATES)
def test_every_closure_of_a_motion_is_shut_at_every_rate(fps, late_frames):
    rise, starts = speaking()
    seconds = (np.arange(int(19.9 * fps)) + late_frames) / fps
    positions = closures.shown(seconds * 30, closures.moments(rise, PAIRS))
    gap_mm = -1e3 * motion.interpolate_rows(rise, positions)[:, 1, 1]
    half_a_frame_s = 0.5 / fps + 1e-9
    for start in starts:
        near = np.abs(seconds - start / 30) <= half_a_frame_s
        assert gap_mm[near].min() <= 0.0, (fps, start)


@pytest.mark.parametrize("fps", RATES)
def test_no_frame_moves_by_more_than_half_of_one_and_none_turns_back(fps):
    rise, _starts = speaking()
    positions = np.arange(int(20 * fps)) * (30 / fps)
    moved = closures.shown(positions, closures.moments(rise, PAIRS))
    assert np.abs(moved - positions).max() <= 15 / fps + 1e-6
    assert (np.diff(moved) > 0).all()


def test_without_closures_nothing_moves():
    positions = np.arange(50) * 1.25
    np.testing.assert_array_equal(closures.shown(positions, closures.NONE), positions)
    assert not len(closures.moments(speaking()[0], np.zeros((0, 2), dtype=np.int32)))


def test_a_take_shows_its_closures_at_24_frames_a_second():
    values = np.ones((60, 1), dtype=np.float32)
    values[[11, 33]] = 0.0
    take = takes.Take(np.zeros((1, 2, 3), np.float32), values, 30.0, 2.0, 0, 0.0, "",
                      shut=np.array([11, 33]))
    read = takes.values_at(take, np.arange(48) / 24)[:, 0]
    assert np.flatnonzero(read == 0).tolist() == [9, 26]


def test_one_key_per_frame_shows_its_closures_at_24_frames_a_second(tmp_path):
    rise, starts = speaking(2)
    motion.save(motion.Motion(rise, 30.0, "lips", "test", 0, 2.0), tmp_path / "motion.npz")
    lips, grid = face.Face(np.eye(3), 2), exact.Grid(24.0, 1, 0.0, 3, PAIRS)
    (made,) = exact.frames([tmp_path / "motion.npz"], lips, "", grid, np.ones((2, 3), np.float32))
    nearest = np.abs(np.arange(48)[None] / 24 - starts[:, None] / 30).argmin(axis=1)
    assert (made.shapes[nearest, 1, 1] >= 0).all()
