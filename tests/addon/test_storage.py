"""One shape key per frame, and point caches: exact, and they play without the add-on."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from backend import motion  # noqa: E402
from blender_addon import result  # noqa: E402
from tests.addon.faces import SCALE, places_at, rest_places  # noqa: E402
from tests.addon.test_animate import make_motion  # noqa: E402

FRAMES = range(10, 55)


def true_places(scene, ball, path):
    """What the worker says, in the ball's axes and size."""
    make_motion(scene, path)
    x, y, z = np.moveaxis(motion.load(path).displacements, 2, 0) * SCALE
    return rest_places(ball) + np.stack([x, -z, y], axis=2)


def seen(face, frames=FRAMES):
    return np.array([places_at(face, frame) for frame in frames])


def press(scene, storage, folder="//"):
    scene.soliloquy.storage, scene.soliloquy.cache_folder = storage, str(folder)
    return bpy.ops.soliloquy.animate_from_audio()


def test_a_key_per_frame_is_exact_and_rests_around_the_line(spoken, ball, tmp_path):
    true = true_places(spoken, ball, tmp_path / "motion.npz")
    press(spoken, "FRAMES")
    np.testing.assert_allclose(seen(ball), true, atol=1e-6)
    np.testing.assert_array_equal(places_at(ball, 2), rest_places(ball))
    np.testing.assert_array_equal(places_at(ball, 70), rest_places(ball))
    assert len(ball.data.shape_keys.key_blocks) == 1 + len(FRAMES)


def test_a_key_per_frame_is_a_take_with_one_strength(spoken, ball):
    press(spoken, "FRAMES")
    action = result.chosen(ball.data.shape_keys)
    assert action["soliloquy"]["error_mm"] < 1e-3
    whole = seen(ball, [20]) - rest_places(ball)
    action.soliloquy_sliders.whole = 0.5
    np.testing.assert_allclose(seen(ball, [20]) - rest_places(ball), whole / 2, atol=1e-6)


def test_a_point_cache_is_exact_and_rests_around_the_line(spoken, ball, tmp_path):
    true = true_places(spoken, ball, tmp_path / "motion.npz")
    assert press(spoken, "CACHE", tmp_path / "caches") == {"FINISHED"}
    np.testing.assert_allclose(seen(ball), true, atol=2e-6)
    np.testing.assert_allclose(places_at(ball, 2), rest_places(ball), atol=1e-6)
    np.testing.assert_allclose(places_at(ball, 70), rest_places(ball), atol=1e-6)
    assert ball.data.shape_keys is None


def test_a_point_cache_leaves_the_artists_shape_key_at_work(spoken, ball, tmp_path):
    ball.shape_key_add(name="Basis")
    smile = ball.shape_key_add(name="Smile")
    smile.data[0].co.z += 0.2
    smile.value = 0.0  # Blender 5.0 adds keys at 1
    press(spoken, "CACHE", tmp_path)
    without = places_at(ball, 20)[0, 2]
    smile.value = 1.0
    assert places_at(ball, 20)[0, 2] - without == pytest.approx(0.2, abs=0.02)


def test_a_second_cache_hides_the_first_and_never_overwrites_its_file(spoken, ball, tmp_path):
    press(spoken, "CACHE", tmp_path)
    (first,) = tmp_path.glob("*.pc2")
    before = first.read_bytes()
    spoken.soliloquy.seed = 9
    press(spoken, "CACHE", tmp_path)
    assert [modifier.show_viewport for modifier in ball.modifiers] == [True, False]
    assert ball.modifiers[0].name.endswith(" 9")
    assert len(list(tmp_path.glob("*.pc2"))) == 2 and first.read_bytes() == before


def test_a_saved_file_finds_its_cache_where_both_were_moved(spoken, ball, tmp_path):
    (tmp_path / "here").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "here" / "talk.blend"))
    press(bpy.context.scene, "CACHE")
    before = seen(bpy.data.objects["Ball"], [20])
    bpy.ops.wm.save_mainfile()
    (tmp_path / "here").rename(tmp_path / "there")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "there" / "talk.blend"))
    np.testing.assert_array_equal(seen(bpy.data.objects["Ball"], [20]), before)


def test_an_unsaved_file_needs_a_folder_for_its_cache(spoken):
    with pytest.raises(RuntimeError, match="Save the file first"):
        press(spoken, "CACHE")


def test_clearing_takes_the_cache_off_and_leaves_the_artists_modifiers(spoken, ball, tmp_path):
    ball.modifiers.new("Mine", "SUBSURF")
    press(spoken, "CACHE", tmp_path)
    assert bpy.ops.soliloquy.clear() == {"FINISHED"}
    assert [modifier.name for modifier in ball.modifiers] == ["Mine"]


def test_a_renamed_cache_is_still_ours(spoken, ball, tmp_path):
    press(spoken, "CACHE", tmp_path / "caches")
    (modifier,) = ball.modifiers
    modifier.name = "Take A"
    spoken.soliloquy.seed = 4
    press(spoken, "CACHE", tmp_path / "caches")
    assert [each.show_viewport for each in ball.modifiers] == [True, False]
    assert bpy.ops.soliloquy.clear() == {"FINISHED"}
    assert len(ball.modifiers) == 0


def opening(face, frame):
    return float((rest_places(face) - places_at(face, frame))[:, 2].max())


def test_lines_in_caches_play_one_after_the_other(spoken, ball, tmp_path):
    press(spoken, "CACHE", tmp_path)
    first = opening(ball, 20)
    spoken.soliloquy.first_frame = 200
    press(spoken, "CACHE", tmp_path)
    assert opening(ball, 20) == pytest.approx(first, abs=1e-5)
    assert opening(ball, 210) == pytest.approx(first, abs=1e-5)


@pytest.mark.parametrize("storages", [("COMPACT", "CACHE"), ("CACHE", "COMPACT"),
                                      ("FRAMES", "CACHE"), ("CACHE", "FRAMES")])
@pytest.mark.parametrize("own_key", [False, True])
def test_a_line_that_is_kept_otherwise_plays_once(spoken, ball, tmp_path, storages, own_key):
    if own_key:
        ball.shape_key_add(name="Basis")
        ball.shape_key_add(name="Smile")
    press(spoken, storages[0], tmp_path)
    alone = opening(ball, 20)
    press(spoken, storages[1], tmp_path)
    assert opening(ball, 20) == pytest.approx(alone, abs=1e-4)


def test_a_take_that_is_switched_on_hides_its_lines_cache(spoken, ball, tmp_path):
    press(spoken, "COMPACT")
    alone = opening(ball, 20)
    press(spoken, "CACHE", tmp_path)
    bpy.ops.soliloquy.play_take(index=0)
    assert opening(ball, 20) == pytest.approx(alone, abs=1e-4)
    assert not ball.modifiers[0].show_viewport


def test_a_cache_of_an_older_file_is_still_ours(spoken, ball, tmp_path):
    press(spoken, "CACHE", tmp_path)
    ball["soliloquy_caches"] = ball.data["soliloquy_caches"].to_dict()
    del ball.data["soliloquy_caches"]
    ball.modifiers[0].deform_mode = "OVERWRITE"
    spoken.soliloquy.first_frame = 200
    press(spoken, "CACHE", tmp_path)
    assert opening(ball, 20) > 0.1 and opening(ball, 210) > 0.1
    bpy.ops.soliloquy.clear()
    assert len(ball.modifiers) == 0


@pytest.mark.parametrize("folder", ["", "caches", "//", " //"])
def test_an_unsaved_file_has_no_place_beside_it(spoken, folder):
    with pytest.raises(RuntimeError, match="Save the file first"):
        press(spoken, "CACHE", folder)


def test_a_folder_of_no_certain_place_lies_beside_the_file(spoken, ball, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    press(spoken, "CACHE", "caches")
    assert len(list((tmp_path / "caches").glob("*.pc2"))) == 1


def test_a_folder_that_cannot_be_is_one_clear_line(spoken, ball, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match=r"The point cache '.*pc2' cannot be written: File exi"):
        press(spoken, "CACHE", tmp_path / "file")
    assert len(ball.modifiers) == 0
