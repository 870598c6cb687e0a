"""How much of its emotion a take plays."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import emotion_strength, emotion_strips, keyframes, result  # noqa: E402
from blender_addon.emotion_ranges import Range  # noqa: E402
from tests.addon.faces import opening_at, places_at  # noqa: E402
from tests.addon.test_emotion_press import SURPRISED_M, brow_m  # noqa: E402

FRAMES = range(6, 60)


@pytest.fixture
def stage(spoken, emotional_pack):
    """The ball with a voice of 1.5 s from frame 10, its model knows emotions."""
    spoken.soliloquy.model = str(emotional_pack)
    return spoken


@pytest.fixture
def take(stage, ball):
    """A take surprised from frame 30 on."""
    emotion_strips.paint(stage, Range("surprised", 1.0, 30, 90, fade_s=0.2), None)
    bpy.ops.soliloquy.animate_from_audio()
    return result.chosen(ball.data.shape_keys)


def seen(face):
    return np.array([places_at(face, frame) for frame in FRAMES])


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.5])
def test_the_slider_scales_what_is_felt_and_nothing_else(take, ball, strength):
    heard, opened = brow_m(ball, [15])[0], [opening_at(ball, frame) for frame in (15, 50)]
    take.soliloquy_sliders.emotion = strength
    assert brow_m(ball, [50])[0] == pytest.approx(strength * SURPRISED_M, abs=1e-3)
    assert brow_m(ball, [15])[0] == pytest.approx(heard, abs=2e-4)
    assert [opening_at(ball, frame) for frame in (15, 50)] == pytest.approx(opened, abs=2e-3)


def test_without_emotion_it_is_the_neutral_performance(take, ball, stage):
    take.soliloquy_sliders.emotion = 0.0
    played = seen(ball)
    stage.soliloquy.emotion_slider = False
    bpy.ops.soliloquy.animate_from_audio(emotions="surprised:0")
    np.testing.assert_allclose(played, seen(ball), atol=2e-3)  # two times 0.1 mm at scale 10
    assert not emotion_strength.known(result.chosen(ball.data.shape_keys))


def test_all_of_it_again_is_the_very_same(take, ball):
    before = seen(ball)
    sliders = take.soliloquy_sliders
    sliders.emotion, sliders.smoothing_ms = 0.3, 50
    sliders.smoothing_ms, sliders.emotion = 0, 1.0
    np.testing.assert_array_equal(seen(ball), before)
    assert "soliloquy_unsmoothed" not in take


def test_it_goes_with_smoothing_and_the_other_sliders(take, ball):
    sliders = take.soliloquy_sliders
    sliders.smoothing_ms = 60
    smooth = brow_m(ball, [50])[0]
    sliders.emotion, sliders.upper = 0.5, 0.5
    assert brow_m(ball, [50])[0] == pytest.approx(smooth / 4, abs=1e-3)


def test_what_the_artist_changes_stays_changed(take, ball):
    curve = keyframes.our_curves(take)[0]
    sliders = take.soliloquy_sliders
    sliders.emotion = 0.5
    before = keyframes.points_of(curve)
    curve.keyframe_points[20].co[1] += 0.25
    sliders.emotion = 1.0
    sliders.emotion = 0.5
    after = keyframes.points_of(curve)
    np.testing.assert_allclose(after[:, 1] - before[:, 1], 0.25 * (np.arange(len(after)) == 20),
                               atol=1e-6)


def test_the_slider_works_in_a_reopened_file(take, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    face = bpy.data.objects["Ball"]
    result.chosen(face.data.shape_keys).soliloquy_sliders.emotion = 0.0
    assert brow_m(face, [50])[0] == pytest.approx(0, abs=1e-3)


def test_every_take_of_a_press_has_its_own(take, stage, ball):
    stage.soliloquy.takes = 2
    bpy.ops.soliloquy.animate_from_audio()
    keys = ball.data.shape_keys
    assert [emotion_strength.known(action) for action in result.actions(keys)] == [True] * 3
    bpy.ops.soliloquy.play_take(index=2)
    result.chosen(keys).soliloquy_sliders.emotion = 0.0
    assert brow_m(ball, [50])[0] == pytest.approx(0, abs=1e-3)


def test_a_redone_range_is_played_as_made_and_the_rest_keeps_its_slider(take, stage, ball):
    take.soliloquy_sliders.emotion = 0.5
    stage.use_preview_range = True
    stage.frame_preview_end, stage.frame_preview_start = 40, 34
    bpy.ops.soliloquy.redo_range()
    redone = result.chosen(ball.data.shape_keys)
    assert redone.soliloquy_sliders.emotion == 0.5
    assert brow_m(ball, [37, 50]) == pytest.approx([SURPRISED_M, SURPRISED_M / 2], abs=1e-3)
    redone.soliloquy_sliders.emotion = 0.0
    assert brow_m(ball, [37, 50]) == pytest.approx([SURPRISED_M, 0], abs=1e-3)


@pytest.mark.parametrize("storage", ["FRAMES", "CACHE"])
def test_exact_takes_are_made_without_it(stage, ball, storage, tmp_path):
    stage.soliloquy.storage, stage.soliloquy.cache_folder = storage, str(tmp_path)
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    assert not any(map(emotion_strength.known, bpy.data.actions))


def test_a_model_without_emotions_has_none(spoken, ball):
    bpy.ops.soliloquy.animate_from_audio()
    assert not emotion_strength.known(result.chosen(ball.data.shape_keys))


def test_it_knows_what_is_felt_after_all_keys_were_moved(take, ball):
    def values():
        return [keyframes.points_of(curve)[:, 1] for curve in keyframes.our_curves(take)]

    made = values()
    take.soliloquy_sliders.emotion = 0.0
    neutral = values()
    take.soliloquy_sliders.emotion = 1.0
    for curve in keyframes.our_curves(take):
        points = keyframes.points_of(curve)
        points[:, 0] += 60
        curve.keyframe_points.foreach_set("co", points.ravel())
    take.soliloquy_sliders.emotion = 0.0
    assert max(np.abs(a - b).max() for a, b in zip(made, neutral, strict=True)) > 0.05
    for now, before in zip(values(), neutral, strict=True):
        np.testing.assert_allclose(now, before, atol=1e-6)
