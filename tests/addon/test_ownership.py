"""Copies of a face and of a take: what is done to one leaves the other alone; nothing is lost."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import placing, result  # noqa: E402
from tests.addon.faces import places_at  # noqa: E402

FRAMES = range(6, 60, 6)


def seen(face):
    return np.array([places_at(face, frame) for frame in FRAMES])


def names(face):
    keys = result.of(face)
    return [action.name for action in result.actions(keys)] if keys is not None else []


@pytest.fixture
def two_takes(spoken, ball):
    """The ball with two takes."""
    spoken.soliloquy.takes = 2
    bpy.ops.soliloquy.animate_from_audio()
    return ball


def duplicated(face):
    """As Shift+D makes it; the panel is about the copy."""
    bpy.ops.object.select_all(action="DESELECT")
    face.select_set(True)
    bpy.context.view_layer.objects.active = face
    bpy.ops.object.duplicate()
    bpy.context.scene.soliloquy.face = bpy.context.object
    return bpy.context.object


def with_data_of_its_own(face):
    """As Make Single User > Object & Data makes it."""
    copy = face.copy()
    copy.data = face.data.copy()
    bpy.context.scene.collection.objects.link(copy)
    bpy.context.scene.soliloquy.face = copy
    return copy


@pytest.mark.parametrize("copied", [duplicated, with_data_of_its_own])
@pytest.mark.parametrize("pushed", [False, True])
@pytest.mark.parametrize("name", ["clear", "delete_take", "keep_take", "play_take", "bake"])
def test_what_is_done_to_a_copy_leaves_the_face_it_was_copied_from_alone(two_takes, copied, pushed,
                                                                         name):
    if pushed:
        bpy.ops.soliloquy.push_down()
    before, listed = seen(two_takes), names(two_takes)
    copy = copied(two_takes)
    assert getattr(bpy.ops.soliloquy, name)() == {"FINISHED"}
    assert names(two_takes) == listed
    np.testing.assert_array_equal(seen(two_takes), before)
    assert not set(names(two_takes)) & set(names(copy))


def test_a_new_line_on_a_copy_silences_no_other_face(two_takes):
    before = seen(two_takes)
    copy = duplicated(two_takes)
    bpy.context.scene.soliloquy.seed = 9
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    np.testing.assert_array_equal(seen(two_takes), before)
    assert len(names(copy)) == 4 and len(names(two_takes)) == 2


def test_a_copy_plays_as_before_once_its_takes_are_its_own(two_takes):
    bpy.ops.soliloquy.push_down()
    (strip,) = two_takes.data.shape_keys.animation_data.nla_tracks[0].strips
    strip.scale, strip.use_reverse = 1.5, True
    strip.frame_end += 7
    strip.frame_start += 7
    before = seen(two_takes)
    copy = duplicated(two_takes)
    bpy.ops.soliloquy.share_sliders()
    np.testing.assert_array_equal(seen(copy), before)
    assert len(names(copy)) == 2 and not set(names(copy)) & set(names(two_takes))


def test_a_face_alone_keeps_its_actions(two_takes):
    listed = names(two_takes)
    gone = duplicated(two_takes)
    bpy.data.objects.remove(gone)  # its mesh lingers until the file is saved
    bpy.context.scene.soliloquy.face = two_takes
    bpy.ops.soliloquy.share_sliders()
    assert names(two_takes) == listed


@pytest.fixture
def polished(spoken, ball):
    """The ball plays an artist's copy of its take, made by the button with the number of users."""
    bpy.ops.soliloquy.animate_from_audio()
    data = ball.data.shape_keys.animation_data
    data.action = data.action.copy()
    if hasattr(data, "action_slot"):
        data.action_slot = data.action.slots[0]
    data.action.name = "Polished"
    return ball


def test_an_artists_copy_of_a_take_is_listed_with_the_next_press_and_not_lost(polished, spoken,
                                                                              tmp_path):
    spoken.soliloquy.seed = 3
    bpy.ops.soliloquy.animate_from_audio()
    assert "Polished" in names(polished) and len(names(polished)) == 3
    path = str(tmp_path / "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert "Polished" in bpy.data.actions


def test_the_keys_of_an_artists_copy_stay_when_the_take_is_deleted(polished):
    before = seen(polished)
    bpy.ops.soliloquy.delete_take(index=0)
    np.testing.assert_array_equal(seen(polished), before)
    assert [found.action.name for found in placing.playing(polished.data.shape_keys)] == [
        "Polished"]
