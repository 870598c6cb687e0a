"""Several takes: which one plays, keep, delete, mix."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import blender_compat, keyframes, placing, result  # noqa: E402
from tests.addon.faces import places_at  # noqa: E402


@pytest.fixture
def three(spoken, ball):
    """Three takes of the ball, seeds 5, 6, 7."""
    spoken.soliloquy.seed, spoken.soliloquy.takes = 5, 3
    bpy.ops.soliloquy.animate_from_audio()
    return ball.data.shape_keys


def seen(face):
    return np.array([places_at(face, frame) for frame in (15, 25, 50)])


def names(keys):
    return [action.name for action in result.actions(keys)]


def playing(keys):
    return [found.action.name for found in placing.playing(keys)]


def test_takes_are_listed_with_their_seeds_and_the_first_plays(three):
    assert [action["soliloquy"]["seed"] for action in result.actions(three)] == [5, 6, 7]
    assert playing(three) == names(three)[:1]
    assert result.chosen(three).name == names(three)[0]


def test_takes_of_a_press_share_their_shape_keys(three, ball):
    sets = [set(placing.keyframes.key_names(action)) for action in result.actions(three)]
    assert sets[0] == sets[1] == sets[2]
    assert len(three.key_blocks) == 1 + len(sets[0])


def test_switching_gives_what_each_seed_gives_alone(three, ball, spoken):
    first = seen(ball)
    assert bpy.ops.soliloquy.play_take(index=1) == {"FINISHED"}
    second = seen(ball)
    assert playing(three) == names(three)[1:2]
    assert np.abs(second - first).max() > 0.005
    bpy.ops.soliloquy.play_take(index=0)
    np.testing.assert_array_equal(seen(ball), first)


def test_switching_off_the_take_that_plays_leaves_the_face_at_rest(three, ball):
    bpy.ops.soliloquy.play_take(index=0)
    assert playing(three) == []
    rest = np.array([vertex.co for vertex in ball.data.vertices])
    np.testing.assert_array_equal(seen(ball), np.stack([rest] * 3))


def test_takes_that_do_not_play_are_saved(three, tmp_path):
    wanted = names(three)
    path = str(tmp_path / "takes.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    keys = bpy.data.objects["Ball"].data.shape_keys
    assert names(keys) == wanted
    assert bpy.ops.soliloquy.play_take(index=2) == {"FINISHED"}
    assert playing(keys) == wanted[2:]


def test_a_deleted_take_leaves_the_others_and_their_keys(three, ball):
    bpy.ops.soliloquy.play_take(index=1)
    kept = seen(ball)
    bpy.ops.soliloquy.delete_take(index=0)
    assert len(bpy.data.actions) == 2
    np.testing.assert_array_equal(seen(ball), kept)


def test_keeping_one_deletes_the_others_of_its_line(three, ball):
    bpy.ops.soliloquy.play_take(index=2)
    kept = seen(ball)
    bpy.ops.soliloquy.keep_take(index=2)
    assert [action["soliloquy"]["seed"] for action in bpy.data.actions] == [7]
    np.testing.assert_array_equal(seen(ball), kept)


def test_keeping_one_leaves_another_line_alone(three, spoken):
    spoken.soliloquy.first_frame, spoken.soliloquy.takes = 200, 1
    bpy.ops.soliloquy.animate_from_audio()
    bpy.ops.soliloquy.keep_take(index=0)
    assert len(names(three)) == 2


def test_a_mix_has_the_mouth_of_one_and_the_brows_of_another(three, ball):
    takes = []
    for index in (1, 2):
        bpy.ops.soliloquy.play_take(index=index)
        takes.append(seen(ball))
    assert bpy.ops.soliloquy.mix_takes(lower=2, upper=3) == {"FINISHED"}
    mixed, height = seen(ball), np.array([vertex.co.z for vertex in ball.data.vertices])
    np.testing.assert_allclose(mixed[:, height < -0.4], takes[0][:, height < -0.4], atol=1e-6)
    np.testing.assert_allclose(mixed[:, height > 0.8], takes[1][:, height > 0.8], atol=1e-6)
    assert np.abs(takes[0] - takes[1])[:, height > 0.8].max() > 1e-3
    assert playing(three) == names(three)[3:]


def test_sliders_reach_all_takes(three):
    result.chosen(three).soliloquy_sliders.lower = 0.5
    bpy.ops.soliloquy.share_sliders()
    assert {action.soliloquy_sliders.lower for action in result.actions(three)} == {0.5}


def test_one_undo_takes_a_mix_back(three):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.soliloquy.mix_takes("EXEC_DEFAULT", True, lower=1, upper=2)
    bpy.ops.ed.undo()
    keys = bpy.data.objects["Ball"].data.shape_keys
    assert len(names(keys)) == 3
    assert playing(keys) == names(keys)[:1]


@pytest.fixture
def second_line(spoken, ball):
    """second_line(first_frame) makes a line from there, beside one from frame 10."""
    spoken.soliloquy.seed = 5
    bpy.ops.soliloquy.animate_from_audio()

    def make(first_frame):
        spoken.soliloquy.first_frame, spoken.soliloquy.seed = first_frame, 9
        bpy.ops.soliloquy.animate_from_audio()
        return ball.data.shape_keys

    return make


def test_keys_that_the_artist_adds_to_a_take_do_not_lengthen_its_line(second_line, ball):
    smile = ball.shape_key_add(name="Smile")
    for frame in (1, 400):
        smile.keyframe_insert("value", frame=frame)
    before = seen(ball)
    keys = second_line(200)
    np.testing.assert_array_equal(seen(ball), before)
    assert len(playing(keys)) == 2
    bpy.ops.soliloquy.keep_take(index=1)
    assert len(names(keys)) == 2


def test_a_line_is_where_its_strip_was_moved_to(second_line, ball):
    bpy.ops.soliloquy.push_down()
    (strip,) = ball.data.shape_keys.animation_data.nla_tracks[0].strips
    strip.frame_start_ui += 200
    keys = second_line(10)
    assert len(playing(keys)) == 2
    bpy.ops.soliloquy.keep_take(index=1)
    assert len(names(keys)) == 2
    bpy.ops.soliloquy.play_take(index=0)
    bpy.ops.soliloquy.play_take(index=0)
    assert len(playing(keys)) == 2


def test_a_mix_plays_where_the_take_of_its_lower_face_was_moved_to(three, ball):
    bpy.ops.soliloquy.push_down()
    (strip,) = three.animation_data.nla_tracks[0].strips
    strip.frame_start_ui += 100
    bpy.ops.soliloquy.mix_takes(lower=1, upper=2)
    (found,) = placing.takes_playing(three)
    assert found.action.name == names(three)[-1] and found.first_frame == 106


def test_a_take_whose_keys_were_all_deleted_stops_nothing(three, ball):
    emptied = list(result.actions(three))[1]
    for curve in keyframes.our_curves(emptied):
        blender_compat.holders_of(emptied)[0].fcurves.remove(curve)
    assert bpy.ops.soliloquy.play_take(index=1) == {"FINISHED"}
    with pytest.raises(RuntimeError, match="no separate lower and upper face"):
        bpy.ops.soliloquy.mix_takes(lower=1, upper=2)
    three.soliloquy.chosen = 1
    assert bpy.ops.soliloquy.generate_again() == {"FINISHED"}
    assert bpy.ops.soliloquy.keep_take(index=0) == {"FINISHED"}
