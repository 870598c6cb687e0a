"""Strength and smoothing after a take was made."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import keyframes, smoothing  # noqa: E402
from tests.addon.faces import opening_at, places_at  # noqa: E402


@pytest.fixture
def take(spoken, ball):
    """The Action of a pressed take."""
    bpy.ops.soliloquy.animate_from_audio()
    return ball.data.shape_keys.animation_data.action


def curves(action):
    return [keyframes.points_of(curve) for curve in keyframes.our_curves(action)]


def test_half_strength_moves_half_as_far(take, ball):
    whole = opening_at(ball, 20)
    take.soliloquy_sliders.lower = 0.5
    assert opening_at(ball, 20) == pytest.approx(whole / 2, rel=1e-3)


def test_strength_exaggerates(take, ball):
    whole = opening_at(ball, 20)
    take.soliloquy_sliders.lower = 1.5
    assert opening_at(ball, 20) == pytest.approx(whole * 1.5, rel=1e-3)


def test_strength_zero_holds_the_face_quite_still(take, ball):
    take.soliloquy_sliders.lower = take.soliloquy_sliders.upper = 0.0
    np.testing.assert_array_equal(places_at(ball, 20), places_at(ball, -50))


def test_the_upper_slider_leaves_the_mouth_alone(take, ball):
    before = np.array([places_at(ball, frame) for frame in range(10, 55, 5)])
    take.soliloquy_sliders.upper = 0.0
    after = np.array([places_at(ball, frame) for frame in range(10, 55, 5)])
    height = before[0, :, 2]
    np.testing.assert_array_equal(after[:, height < -0.4], before[:, height < -0.4])
    assert np.abs(after - before)[:, height > 0.8].max() > 0.001


def test_strength_back_at_one_gives_the_very_same_places(take, ball):
    before = [places_at(ball, frame) for frame in (15, 20, 40)]
    points = curves(take)
    take.soliloquy_sliders.lower, take.soliloquy_sliders.upper = 0.3, 1.7
    take.soliloquy_sliders.lower, take.soliloquy_sliders.upper = 1.0, 1.0
    np.testing.assert_array_equal([places_at(ball, f) for f in (15, 20, 40)], before)
    for now, then in zip(curves(take), points, strict=True):
        np.testing.assert_array_equal(now, then)
    assert not any(len(curve.modifiers) for curve in keyframes.our_curves(take))


def test_smoothing_calms_the_curves_and_zero_gives_them_back_exactly(take):
    points = curves(take)
    take.soliloquy_sliders.smoothing_ms = 80
    calmed = curves(take)
    bends, before = (np.abs(np.diff(rows[0][1:-1, 1], 2)).max() for rows in (calmed, points))
    assert bends < 0.8 * before
    take.soliloquy_sliders.smoothing_ms = 40
    take.soliloquy_sliders.smoothing_ms = 0
    for now, then in zip(curves(take), points, strict=True):
        np.testing.assert_array_equal(now, then)
    assert "soliloquy_unsmoothed" not in take


def test_a_smoothed_face_still_rests_before_and_after_the_line(take):
    take.soliloquy_sliders.smoothing_ms = 200
    assert all(points[0, 1] == points[-1, 1] == 0.0 for points in curves(take))


def test_what_the_artist_changed_while_it_was_smooth_stays_changed(take):
    points = curves(take)[0]
    take.soliloquy_sliders.smoothing_ms = 80
    keyframes.our_curves(take)[0].keyframe_points[12].co[1] += 0.25
    take.soliloquy_sliders.smoothing_ms = 0
    changed = curves(take)[0]
    assert changed[12, 1] == pytest.approx(points[12, 1] + 0.25, abs=1e-6)
    np.testing.assert_array_equal(np.delete(changed, 12, 0), np.delete(points, 12, 0))


def test_sliders_are_saved_and_work_in_a_reopened_file(take, ball, tmp_path):
    whole, points = opening_at(ball, 20), curves(take)
    take.soliloquy_sliders.lower, take.soliloquy_sliders.smoothing_ms = 0.5, 60
    path = str(tmp_path / "sliders.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    action = bpy.data.actions[0]
    action.soliloquy_sliders.smoothing_ms = 0
    assert opening_at(bpy.data.objects["Ball"], 20) == pytest.approx(whole / 2, rel=1e-3)
    np.testing.assert_array_equal(curves(action)[0], points[0])


def test_a_gaussian_keeps_a_constant_and_spreads_a_peak():
    frames = np.arange(101)
    flat = np.stack([frames, np.full(101, 0.7)], axis=1).astype(np.float32)
    np.testing.assert_allclose(smoothing.at(flat, frames, 4.0), 0.7, atol=1e-6)
    peak = np.stack([frames, frames == 50], axis=1).astype(np.float32)
    spread = smoothing.at(peak, frames, 4.0)
    assert spread.sum() == pytest.approx(1.0, abs=1e-4)
    assert spread[50] == pytest.approx(1 / (4 * np.sqrt(2 * np.pi)), rel=0.01)


def shifted(action, frames, stretch=1.0):
    """All keyframes moved together, as in the Dope Sheet."""
    for curve in keyframes.our_curves(action):
        points = keyframes.points_of(curve)
        points[:, 0] = 6 + (points[:, 0] - 6) * stretch + frames
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.update()


def values(action):
    return [keyframes.points_of(curve)[:, 1] for curve in keyframes.our_curves(action)]


@pytest.mark.parametrize("meanwhile", [
    lambda action, _face: shifted(action, 5), lambda action, _face: shifted(action, 60),
    lambda action, _face: shifted(action, 0, 2.0),
    lambda _action, face: [setattr(key, "name", f"My {key.name}")
                           for key in face.data.shape_keys.key_blocks]])
def test_what_was_made_comes_back_after_keys_were_moved_or_renamed(take, ball, meanwhile):
    made = values(take)
    take.soliloquy_sliders.smoothing_ms = 60
    assert max(np.abs(a - b).max() for a, b in zip(values(take), made, strict=True)) > 0.01
    meanwhile(take, ball)
    take.soliloquy_sliders.smoothing_ms = 0
    for now, before in zip(values(take), made, strict=True):
        np.testing.assert_allclose(now, before, atol=1e-6)


def test_keys_moved_alone_are_told_by_where_they_are():
    stored = np.arange(10.0)
    alone = stored.copy()
    alone[4] = 7.5
    np.testing.assert_array_equal(keyframes.frames_of(stored, alone), alone)
    np.testing.assert_array_equal(keyframes.frames_of(stored, stored * 2 + 3), stored)
    np.testing.assert_array_equal(keyframes.frames_of(stored, stored[:-1]), stored[:-1])
