"""Blinks as a layer of their own: added, renewed, deleted."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import keyframes, result  # noqa: E402
from tests.addon.faces import places_at  # noqa: E402
from tests.data import make_tiny_pack  # noqa: E402

EYES_M = 0.004


@pytest.fixture
def blinking(spoken, ball, tmp_path, monkeypatch):
    """The ball, animated by a pack whose eyes close by 4 mm."""
    plain = make_tiny_pack.reference

    def with_blink(rest):
        arrays = plain(rest)
        blink = np.zeros_like(rest)
        blink[arrays["mask_eyes"], 1] = -EYES_M
        return arrays | {"blink": blink}

    monkeypatch.setattr(make_tiny_pack, "reference", with_blink)
    spoken.soliloquy.model = str(make_tiny_pack.make(tmp_path / "blinking").path)
    bpy.ops.soliloquy.animate_from_audio()
    ball.data.shape_keys.soliloquy.blink_interval_s = 1.0
    return ball


def eyes_at(face, frame):
    """How far the eyes' vertices are below their rest, in the pack's metres."""
    rest = result.stored_blink(face.data.shape_keys)
    moved = places_at(face, frame)[:, 2] - np.array([v.co.z for v in face.data.vertices])
    return -moved[np.abs(rest[:, 2]) > 0].mean() / 10


def shut_frame(face):
    curve = keyframes.our_curves(face.data.shape_keys.soliloquy.blinks)[0]
    return int(keyframes.points_of(curve)[1, 0])


def test_eyes_shut_in_the_blink_and_are_open_before_and_after(blinking):
    assert bpy.ops.soliloquy.add_blinks() == {"FINISHED"}
    shut = shut_frame(blinking)
    assert eyes_at(blinking, shut) == pytest.approx(EYES_M, rel=0.02)
    assert eyes_at(blinking, shut - 8) == pytest.approx(0.0, abs=1e-5)
    assert 0.1 < eyes_at(blinking, shut - 1) / EYES_M < 0.9


def test_a_second_press_keeps_what_a_blink_is(blinking):
    keys = blinking.data.shape_keys
    known = result.stored_blink(keys)
    bpy.ops.soliloquy.animate_from_audio()
    np.testing.assert_array_equal(result.stored_blink(keys), known)
    assert bpy.ops.soliloquy.add_blinks() == {"FINISHED"}


def test_deleting_the_layer_leaves_the_performance_as_it_was(blinking):
    frames = [places_at(blinking, frame) for frame in range(10, 55, 3)]
    keys = [key.name for key in blinking.data.shape_keys.key_blocks]
    bpy.ops.soliloquy.add_blinks()
    bpy.ops.soliloquy.remove_blinks()
    np.testing.assert_array_equal([places_at(blinking, f) for f in range(10, 55, 3)], frames)
    assert [key.name for key in blinking.data.shape_keys.key_blocks] == keys
    assert not blinking.data.shape_keys.animation_data.nla_tracks
    assert len(bpy.data.actions) == 1


def test_adding_again_renews_the_layer_instead_of_doubling_it(blinking):
    bpy.ops.soliloquy.add_blinks()
    bpy.ops.soliloquy.add_blinks()
    assert len(blinking.data.shape_keys.animation_data.nla_tracks) == 1
    assert sum("blink" in key.name for key in blinking.data.shape_keys.key_blocks) == 1


def test_a_slider_holds_the_lids_half_open(blinking):
    bpy.ops.soliloquy.add_blinks()
    blinking.data.shape_keys.soliloquy.blinks.soliloquy_sliders.blink = 0.5
    assert eyes_at(blinking, shut_frame(blinking)) == pytest.approx(EYES_M / 2, rel=0.02)


def test_blinks_can_be_added_in_a_reopened_file_without_the_pack(blinking, tmp_path):
    path = str(tmp_path / "blinks.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert bpy.ops.soliloquy.add_blinks() == {"FINISHED"}
    face = bpy.data.objects["Ball"]
    assert eyes_at(face, shut_frame(face)) == pytest.approx(EYES_M, rel=0.02)


def test_one_undo_removes_the_blinks(blinking):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.soliloquy.add_blinks("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    assert len(bpy.data.actions) == 1
    assert "Soliloquy blink" not in bpy.data.objects["Ball"].data.shape_keys.key_blocks


def test_a_pack_that_knows_no_blink_greys_the_button(spoken, ball):
    bpy.ops.soliloquy.animate_from_audio()
    with pytest.raises(RuntimeError, match="does not know how these eyes close"):
        bpy.ops.soliloquy.add_blinks()


def test_a_face_without_a_take_is_told_to_be_animated_first(spoken):
    with pytest.raises(RuntimeError, match="Animate the face first"):
        bpy.ops.soliloquy.add_blinks()


def test_blinks_cannot_be_removed_in_tweak_mode_where_blender_would_crash(blinking):
    bpy.ops.soliloquy.add_blinks()
    data = blinking.data.shape_keys.animation_data
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    with pytest.raises(RuntimeError, match="tweak mode"):
        bpy.ops.soliloquy.remove_blinks()
    data.use_tweak_mode = False


def test_blinks_cannot_be_removed_while_the_mesh_is_edited(blinking):
    bpy.ops.soliloquy.add_blinks()
    bpy.context.view_layer.objects.active = blinking
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Object Mode"):
        bpy.ops.soliloquy.remove_blinks()
    bpy.ops.object.mode_set(mode="OBJECT")


def test_blinks_that_no_longer_fit_the_mesh_are_one_clear_line_and_the_old_ones_stay(blinking):
    bpy.ops.soliloquy.add_blinks()
    settings = blinking.data.shape_keys.soliloquy
    before = settings.blinks
    blinking.data.vertices.add(1)
    with pytest.raises(RuntimeError, match="'Ball' has 43 vertices, 42 when it was animated"):
        bpy.ops.soliloquy.add_blinks()
    assert before is not None and settings.blinks == before
