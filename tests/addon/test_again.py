"""Generate again, and redo the marked frames."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import keyframes, placing, result  # noqa: E402
from tests.addon.faces import places_at  # noqa: E402

FRAMES = range(6, 60)


@pytest.fixture
def take(spoken, ball):
    """The Action of a pressed take with seed 5."""
    spoken.soliloquy.seed = 5
    bpy.ops.soliloquy.animate_from_audio()
    return ball.data.shape_keys.animation_data.action


def seen(face):
    return np.array([places_at(face, frame) for frame in FRAMES])


def mark(scene, first, last):
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = first, last


def redone(take, ball, spoken):
    """The face before and after frames 25 to 36 were made again."""
    before = seen(ball)
    mark(spoken, 25, 36)
    assert bpy.ops.soliloquy.redo_range() == {"FINISHED"}
    return before, seen(ball)


def test_the_same_again_is_the_same(take, ball):
    before = seen(ball)
    assert bpy.ops.soliloquy.generate_again(new_seed=False) == {"FINISHED"}
    np.testing.assert_allclose(seen(ball), before, atol=1e-5)
    assert len(list(result.actions(ball.data.shape_keys))) == 2


def test_a_new_seed_is_one_that_no_take_has(take, ball):
    bpy.ops.soliloquy.generate_again()
    bpy.ops.soliloquy.generate_again()
    seeds = [action["soliloquy"]["seed"] for action in result.actions(ball.data.shape_keys)]
    assert seeds == [5, 6, 7]


def test_again_works_in_a_reopened_file_whatever_the_panel_says(take, ball, tmp_path):
    path = str(tmp_path / "again.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings = bpy.context.scene.soliloquy
    settings.filepath, settings.first_frame, settings.style = "", 300, "lively"
    assert bpy.ops.soliloquy.generate_again(new_seed=False) == {"FINISHED"}
    first, second = result.actions(bpy.data.objects["Ball"].data.shape_keys)
    assert second["soliloquy"]["style"] == "calm"
    assert second["soliloquy"]["first_frame"] == first["soliloquy"]["first_frame"] == 10


def test_a_sound_that_is_gone_is_one_clear_line(take, spoken, tmp_path):
    for path in tmp_path.glob("*.wav"):
        path.unlink()
    with pytest.raises(RuntimeError, match="is gone"):
        bpy.ops.soliloquy.generate_again()


def test_redoing_changes_the_marked_frames_and_no_others(take, ball, spoken):
    before, after = redone(take, ball, spoken)
    moved = np.abs(after - before).max(axis=(1, 2))
    marked = np.array([25 <= frame <= 36 for frame in FRAMES])
    far = np.array([frame < 25 - 7 or frame > 36 + 7 for frame in FRAMES])
    assert moved[marked].max() > 0.005
    np.testing.assert_array_equal(after[far], before[far])


def test_what_is_redone_joins_its_neighbours_without_a_jump(take, ball, spoken):
    before, after = redone(take, ball, spoken)
    steps, usual = (np.abs(np.diff(motion, axis=0)).max(axis=(1, 2)) for motion in (after, before))
    assert steps.max() <= 1.5 * usual.max()


def test_a_redone_take_is_a_take_of_its_own_and_the_old_one_stays(take, ball, spoken):
    before, _after = redone(take, ball, spoken)
    keys = ball.data.shape_keys
    assert [action["soliloquy"]["seed"] for action in result.actions(keys)] == [5, 6]
    bpy.ops.soliloquy.play_take(index=0)
    np.testing.assert_array_equal(seen(ball), before)


def test_a_redone_take_can_be_redone_after_reopening(take, ball, spoken, tmp_path):
    redone(take, ball, spoken)
    path = str(tmp_path / "redone.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert bpy.ops.soliloquy.redo_range() == {"FINISHED"}
    keys = bpy.data.objects["Ball"].data.shape_keys
    assert len(list(result.actions(keys))) == 3
    assert len(placing.takes_playing(keys)) == 1


def test_sliders_and_the_artists_keyframes_outside_the_range_survive(take, ball, spoken):
    curve = keyframes.our_curves(take)[0]
    curve.keyframe_points[3].co[1] += 0.5
    take.soliloquy_sliders.lower, take.soliloquy_sliders.smoothing_ms = 0.8, 30
    edited = keyframes.points_of(curve)[3, 1]
    mark(spoken, 30, 40)
    bpy.ops.soliloquy.redo_range()
    action = result.chosen(ball.data.shape_keys)
    assert action != take
    assert keyframes.points_of(keyframes.our_curves(action)[0])[3, 1] == pytest.approx(edited)
    sliders = action.soliloquy_sliders
    assert (sliders.lower, sliders.smoothing_ms) == (pytest.approx(0.8), 30)


def test_without_a_preview_range_the_button_says_how_to_mark_one(take, spoken):
    with pytest.raises(RuntimeError, match="preview range"):
        bpy.ops.soliloquy.redo_range()


def test_a_range_outside_the_take_is_one_clear_line(take, spoken):
    mark(spoken, 300, 320)
    with pytest.raises(RuntimeError, match="outside this take"):
        bpy.ops.soliloquy.redo_range()


def moved_by_100(ball):
    """Pushed down, and its strip moved: the line plays from frame 106."""
    bpy.ops.soliloquy.push_down()
    (strip,) = ball.data.shape_keys.animation_data.nla_tracks[0].strips
    strip.frame_start_ui += 100


@pytest.mark.parametrize("again", [
    lambda: bpy.ops.soliloquy.generate_again(), lambda: bpy.ops.soliloquy.redo_range()])
def test_a_line_that_was_moved_stays_where_it_is(take, ball, spoken, again):
    moved_by_100(ball)
    mark(spoken, 125, 136)
    assert again() == {"FINISHED"}
    (found,) = placing.takes_playing(ball.data.shape_keys)
    assert found.action != take and (found.first_frame, found.last_frame) == (106, 158)
    np.testing.assert_array_equal(places_at(ball, 20), places_at(ball, 1))


def test_marked_frames_are_those_of_the_rate_that_the_take_was_made_at(take, ball, spoken):
    spoken.render.fps = 60
    mark(spoken, 40, 51)
    bpy.ops.soliloquy.redo_range()
    _first, second = result.actions(ball.data.shape_keys)
    np.testing.assert_allclose(list(second["soliloquy"]["redone_s"]), [1.0, 1.4], atol=1e-6)
