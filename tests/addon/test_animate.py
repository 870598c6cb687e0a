"""The button, headless, with the tiny pack and the real worker process."""

import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from backend import motion  # noqa: E402
from blender_addon import blender_compat, placing, session  # noqa: E402
from tests.addon.faces import SCALE, opening_at, places_at, rest_places  # noqa: E402
from tests.data import make_tiny_pack  # noqa: E402


def press(undo=False):
    return bpy.ops.soliloquy.animate_from_audio("EXEC_DEFAULT", undo)


def action_of(face):
    return face.data.shape_keys.animation_data.action


def test_pressing_makes_the_mouth_move_with_the_sound(spoken, ball):
    assert press() == {"FINISHED"}
    loud, silent = opening_at(ball, 20), opening_at(ball, 33)
    assert loud > 0.01 * SCALE
    assert loud > silent + 0.005 * SCALE


def test_the_face_is_at_rest_before_and_after_the_line(spoken, ball):
    press()
    for frame in (-50, 5, 70, 200):
        np.testing.assert_array_equal(places_at(ball, frame), rest_places(ball))


def test_the_keys_rebuild_the_motion_of_the_worker(spoken, ball, tmp_path):
    make_motion(spoken, tmp_path / "motion.npz")
    press()
    true = motion.load(tmp_path / "motion.npz").displacements
    moved = np.stack([places_at(ball, 10 + frame) for frame in range(len(true))])
    x, y, z = np.moveaxis(true, 2, 0) * SCALE
    np.testing.assert_allclose(moved - rest_places(ball), np.stack([x, -z, y], axis=2),
                               atol=1e-4 * SCALE)


def make_motion(scene, path):
    """motion.npz of the scene's settings, by the command line."""
    settings = scene.soliloquy
    subprocess.run([sys.executable, "-m", "backend", "animate", settings.filepath, "--model",
                    settings.model, "--out", str(path), "--quiet"], check=True)


def test_the_action_tells_where_it_came_from(spoken, ball):
    spoken.soliloquy.seed, spoken.soliloquy.style = 7, "lively"
    press()
    facts = action_of(ball)["soliloquy"]
    assert (facts["model"], facts["seed"], facts["style"], facts["steps"]) == (
        "tiny-test", 7, "lively", 4)
    assert (facts["first_frame"], facts["last_frame"]) == (10, 54)
    assert (len(facts["model_sha256"]), len(facts["audio_sha256"])) == (64, 64)
    assert facts["error_mm"] < 0.1


def test_every_frame_of_the_sound_has_a_key_and_the_values_are_not_clamped(spoken, ball):
    press()
    curves = blender_compat.curves_of(action_of(ball))
    assert {len(curve.keyframe_points) for curve in curves} == {45 + 2}
    key = ball.data.shape_keys.key_blocks["Soliloquy lower 01"]
    assert (key.slider_min, key.slider_max) == (-4.0, 4.0)


def test_motion_is_resampled_to_the_scenes_rate(spoken, ball):
    spoken.render.fps = 24
    press()
    curve = blender_compat.curves_of(action_of(ball))[0]
    frames = [point.co[0] for point in curve.keyframe_points]
    assert frames[1:-1] == list(range(10, 10 + 36))


def test_fps_base_counts(spoken, ball):
    spoken.render.fps, spoken.render.fps_base = 30, 1.25
    press()
    assert action_of(ball)["soliloquy"]["last_frame"] == 10 + 36 - 1


def test_the_same_seed_gives_the_same_curves_and_another_seed_others(spoken, ball):
    def values(seed):
        spoken.soliloquy.seed = seed
        press()
        return [point.co[1] for curve in blender_compat.curves_of(action_of(ball))
                for point in curve.keyframe_points]

    first, again, other = values(3), values(3), values(4)
    assert first == again
    assert first != other


def test_pressing_again_adds_a_take_and_does_not_double_the_motion(spoken, ball):
    press()
    once = opening_at(ball, 20)
    press()
    assert opening_at(ball, 20) == pytest.approx(once, abs=1e-4)
    assert ball.data.shape_keys.key_blocks["Soliloquy lower 01"].value == 0.0
    assert ball.data.shape_keys.key_blocks["Soliloquy 2 lower 01"].value != 0.0


def test_a_second_line_elsewhere_leaves_the_first_alone(spoken, ball):
    press()
    first = places_at(ball, 20)
    spoken.soliloquy.first_frame = 55
    press()
    np.testing.assert_allclose(places_at(ball, 20), first, atol=1e-5)
    assert opening_at(ball, 65) > 0.01 * SCALE
    assert len(list(placing.playing(ball.data.shape_keys))) == 2


def test_several_takes_are_written_and_the_first_plays(spoken, ball):
    spoken.soliloquy.seed, spoken.soliloquy.takes = 5, 3
    press()
    seeds = sorted(action["soliloquy"]["seed"] for action in bpy.data.actions)
    assert seeds == [5, 6, 7]
    assert action_of(ball)["soliloquy"]["seed"] == 5


def test_one_undo_removes_everything(spoken, ball):
    bpy.ops.ed.undo_push(message="before")
    press(undo=True)
    assert len(bpy.data.actions) == 1
    bpy.ops.ed.undo()
    assert bpy.data.objects["Ball"].data.shape_keys is None
    assert len(bpy.data.actions) == 0


def test_the_saved_file_plays_on(spoken, ball, tmp_path):
    press()
    before = places_at(ball, 20)
    path = str(tmp_path / "sprich äöü 話す.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    np.testing.assert_allclose(places_at(bpy.data.objects["Ball"], 20), before, atol=1e-6)


def test_pressing_works_in_a_reopened_file(spoken, ball, tmp_path):
    press()
    path = str(tmp_path / "again.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert press() == {"FINISHED"}
    assert len(bpy.data.actions) == 2


def test_the_worker_stays_warm_between_presses(spoken):
    press()
    pid = session.CURRENT.worker.pid
    press()
    assert session.CURRENT.worker.pid == pid


def test_spaces_and_foreign_letters_in_paths(spoken, ball, tmp_path, write_wav, voice, tiny_pack):
    (tmp_path / "drei Wörter 声").mkdir()
    spoken.soliloquy.filepath = str(write_wav(voice, name="drei Wörter 声/ложь und lüge.wav"))
    model = tmp_path / "drei Wörter 声" / "mein modell"
    shutil.copytree(tiny_pack, model)
    spoken.soliloquy.model = str(model)
    assert press() == {"FINISHED"}
    assert "ложь und lüge" in action_of(ball).name


def test_a_zipped_pack_works(spoken, ball, tmp_path, tiny_pack):
    spoken.soliloquy.model = shutil.make_archive(str(tmp_path / "tiny"), "zip", tiny_pack)
    assert press() == {"FINISHED"}


def test_a_pack_of_another_size_moves_a_mesh_of_that_size(scene, tmp_path, write_wav, voice):
    pack = make_tiny_pack.make(tmp_path / "big", vertex_count=500, topology="big")
    rest, faces = make_tiny_pack.spread(500)
    mesh = bpy.data.meshes.new("Big")
    mesh.from_pydata(rest.tolist(), [], faces)
    face = bpy.data.objects.new("Big", mesh)
    scene.collection.objects.link(face)
    settings = scene.soliloquy
    settings.source, settings.filepath = "FILE", str(write_wav(voice))
    settings.face, settings.model = face, str(pack.path)
    assert press() == {"FINISHED"}
    moved = places_at(face, 10) - rest_places(face)
    assert moved[:, 1].min() < -0.01


def test_nothing_is_left_in_the_temporary_folder(spoken, tmp_path, monkeypatch):
    session.CURRENT.end()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    press()
    assert not list(session.CURRENT.folder.glob("job-*"))
    session.CURRENT.end()
    assert not list((tmp_path / "t").iterdir())


def test_what_an_abandoned_job_still_wrote_goes_with_the_next(spoken):
    late = session.CURRENT.new_job_folder()
    (late / "motion.npz").write_bytes(b"late")
    assert press() == {"FINISHED"}
    assert not late.exists()


def test_a_temporary_folder_tidied_away_is_made_again(spoken):
    press()
    shutil.rmtree(session.CURRENT.folder)
    assert press() == {"FINISHED"}
