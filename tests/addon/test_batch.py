"""batch.py: the button for render farms."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import batch, blender_compat  # noqa: E402
from tests.addon import sequencer  # noqa: E402
from tests.addon.faces import SCALE, add_ball, opening_at  # noqa: E402

HERE = Path(__file__).resolve()


@pytest.fixture
def arguments(scene, tmp_path, write_wav, voice, tiny_pack):
    """arguments(**changes) -> a command for a saved scene with 'Ball' and 'Ball 2'."""
    add_ball("Ball"), add_ball("Ball 2")
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0, -4, 0), (np.pi / 2, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    path = tmp_path / "Szene 1.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    plain = {"scene": path, "audio": write_wav(voice), "object": "Ball", "model": tiny_pack,
             "out": tmp_path / "made" / "out.blend"}

    def make(**changes):
        return [f"--{name}={value}" for name, value in {**plain, **changes}.items() if value]

    return make


def test_the_result_is_saved_and_the_scene_is_not_changed(arguments, tmp_path):
    assert batch.main(arguments(frame=5, seed=3, steps=2)) == 0
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made" / "out.blend"))
    facts = bpy.data.objects["Ball"].data.shape_keys.animation_data.action["soliloquy"]
    assert (facts["first_frame"], facts["seed"], facts["steps"]) == (5, 3, 2)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "Szene 1.blend"))
    assert bpy.data.objects["Ball"].data.shape_keys is None


def test_the_commands_settings_hold_for_a_face_with_settings_of_its_own(arguments, tmp_path):
    own = bpy.data.objects["Ball"].soliloquy
    own.own, own.seed, own.model, own.takes = True, 7, "gldi-flame", 2
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "Szene 1.blend"))
    assert batch.main(arguments(seed=3, steps=2, style="lively")) == 0
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made" / "out.blend"))
    (action,) = bpy.data.actions
    facts = action["soliloquy"]
    assert (facts["seed"], facts["steps"], facts["style"]) == (3, 2, "lively")


def test_without_out_the_scene_is_saved_in_place(arguments, tmp_path):
    assert batch.main(arguments(out="")) == 0
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "Szene 1.blend"))
    assert opening_at(bpy.data.objects["Ball"], 10) > 0.01 * SCALE


def test_a_list_animates_several_faces(arguments, tmp_path):
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("object,frame,seed\nBall,1,\nBall 2,50,4\n", encoding="utf-8-sig")
    assert batch.main(arguments(jobs=jobs, object="")) == 0
    facts = [bpy.data.objects[name].data.shape_keys.animation_data.action["soliloquy"]
             for name in ("Ball", "Ball 2")]
    assert [(f["first_frame"], f["seed"]) for f in facts] == [(1, 0), (50, 4)]


@pytest.mark.parametrize(("changes", "line"), [
    ({"object": "Bll"}, "the scene has no object 'Bll'; its meshes are: Ball, Ball 2."),
    ({"object": "Camera"}, "'Camera' is not a mesh: choose a face mesh"),
    ({"audio": "/no/voice.wav"}, "There is no sound file '/no/voice.wav'."),
    ({"model": "nobody"}, "There is no model 'nobody'."),
    ({"scene": "/no/scene.blend"}, "there is no scene '/no/scene.blend'."),
    ({"seed": "x"}, "seed must be a whole number, not 'x'."),
    ({"seed": "-1"}, "seed cannot be -1; the nearest is 0."),
    ({"frame": "99999999999"}, "frame cannot be 99999999999; the nearest is 2147483647."),
    ({"report": f"{HERE}/report.json"}, f"the folder '{HERE}' cannot be made: "),
    ({"report": HERE.parent}, f"'{HERE.parent}' is a folder: give the path of a file."),
    ({"jobs": "/no/list.csv"}, "the list '/no/list.csv' cannot be read"),
    ({"object": ""}, "give --audio and --object, or --jobs."),
    ({"nonsense": "1"}, "unrecognized arguments: --nonsense=1."),
])
def test_bad_input_is_one_line_and_exit_code_2(arguments, changes, line, capfd):
    assert batch.main(arguments(**changes)) == 2
    errors = capfd.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert errors[0].startswith(f"soliloquy: {line}")


@pytest.fixture
def jobs(tmp_path):
    """jobs("row", ...) -> a list of lines with the columns object, frame, seed."""
    def write(*rows):
        (tmp_path / "jobs.csv").write_text("\n".join(["object,frame,seed", *rows]))
        return tmp_path / "jobs.csv"

    return write


def statuses(path):
    return [(each["line"]["object"], each["status"]) for each in json.loads(path.read_text())]


def test_a_line_that_fails_is_reported_and_the_others_are_saved(arguments, jobs, tmp_path, capfd):
    report = tmp_path / "report.json"
    assert batch.main(arguments(jobs=jobs("Bll,1,", "Ball 2,1,"), object="", report=report)) == 3
    assert statuses(report) == [("Bll", "failed"), ("Ball 2", "done")]
    assert "no object 'Bll'" in json.loads(report.read_text())[0]["message"]
    assert "soliloquy: Bll: the scene has no object" in capfd.readouterr().err
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "made" / "out.blend"))
    assert opening_at(bpy.data.objects["Ball 2"], 10) > 0.01 * SCALE


def test_a_list_of_which_no_line_can_be_done_is_bad_input(arguments, jobs, tmp_path):
    assert batch.main(arguments(jobs=jobs("Bll,1,"), object="")) == 2
    assert not (tmp_path / "made" / "out.blend").exists()


@pytest.mark.parametrize(("row", "message"), [
    ("Ball,99999999999,", "frame cannot be 99999999999; the nearest is 2147483647."),
    ("Ball,1,99999999999", "seed cannot be 99999999999; the nearest is 2147483631."),
    ("Ba\0ll,1,", r"object holds a NUL character: 'Ba\x00ll'. Write it anew.")])
def test_a_bad_cell_fails_its_line_alone(arguments, jobs, tmp_path, row, message):
    report = tmp_path / "report.json"
    assert batch.main(arguments(jobs=jobs(row, "Ball 2,1,"), object="", report=report)) == 3
    failed, done = json.loads(report.read_text())
    assert (failed["status"], failed["message"], done["status"]) == ("failed", message, "done")


def test_a_sound_with_a_nul_in_its_path_is_reported(arguments, tmp_path):
    report, rows = tmp_path / "report.json", tmp_path / "jobs.csv"
    rows.write_text('object,audio\nBall,a\0b.wav\nBall 2,\n')
    assert batch.main(arguments(jobs=rows, object="", report=report)) == 3
    assert statuses(report) == [("Ball", "failed"), ("Ball 2", "done")]


def test_a_row_whose_cells_are_all_empty_is_no_line(arguments, jobs, tmp_path):
    report = tmp_path / "report.json"
    assert batch.main(arguments(jobs=jobs("Ball,1,", ",,", " ,, "), report=report)) == 0
    assert statuses(report) == [("Ball", "done")]


def test_a_single_line_that_fails_is_in_the_report(arguments, tmp_path):
    report = tmp_path / "report.json"
    assert batch.main(arguments(object="Bll", report=report)) == 2
    assert statuses(report) == [("Bll", "failed")]


def test_a_report_that_cannot_be_written_is_one_line_and_the_result_is_kept(
        arguments, tmp_path, capfd, monkeypatch):
    def refuse(*_unused, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    assert batch.main(arguments(report=tmp_path / "report.json")) == 0
    assert "report.json' cannot be written: [Errno 13] Permission" in capfd.readouterr().err
    assert (tmp_path / "made" / "out.blend").is_file()


def test_resuming_does_only_what_is_missing(arguments, jobs, tmp_path):
    report = tmp_path / "report.json"
    batch.main(arguments(jobs=jobs("Ball,1,"), object=""))
    again = arguments(jobs=jobs("Ball,1,", "Ball 2,1,", "Ball,80,5"), object="", report=report)
    assert batch.main([*again, "--resume"]) == 0
    assert statuses(report) == [("Ball", "skipped"), ("Ball 2", "done"), ("Ball", "done")]
    assert batch.main([*again, "--resume"]) == 0
    assert {status for _name, status in statuses(report)} == {"skipped"}


def test_an_interrupted_list_keeps_its_lines_and_its_report(arguments, jobs, tmp_path, monkeypatch):
    animate, report = batch._animate, tmp_path / "report.json"

    def once(line, match_vertices):
        if line.object == "Ball 2":
            raise KeyboardInterrupt
        animate(line, match_vertices)

    monkeypatch.setattr(batch, "_animate", once)
    rows = jobs("Ball,1,", "Ball 2,1,")
    assert batch.main(arguments(jobs=rows, object="", report=report)) == 130
    assert statuses(report) == [("Ball", "done")]
    assert (tmp_path / "made" / "out.blend").is_file()


def test_reordered_faces_are_matched_where_the_command_says_so(arguments, tmp_path):
    add_ball("Sorted", np.random.default_rng(3).permutation(42))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "Szene 1.blend"))
    assert batch.main(arguments(object="Sorted")) == 2
    assert batch.main([*arguments(object="Sorted"), "--match-vertices"]) == 0


def test_an_unknown_column_is_named_with_its_line(arguments, tmp_path, capfd):
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("object,wav\nBall,a.wav\n")
    assert batch.main(arguments(jobs=jobs)) == 2
    assert "unknown column 'wav'; known are audio, emotion, frame," in capfd.readouterr().err


def test_rendering_without_a_camera_is_refused_before_the_work(arguments, tmp_path, capfd):
    bpy.data.objects.remove(bpy.data.objects["Camera"])
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "Szene 1.blend"))
    assert batch.main(arguments(render=tmp_path / "a.mp4")) == 2
    assert "no camera" in capfd.readouterr().err
    assert len(bpy.data.actions) == 0


@pytest.fixture
def filmed(arguments, tmp_path):
    """filmed() -> the sound of the film that the saved scene becomes; skips without a reader."""
    aud = pytest.importorskip("aud", reason="this bpy is built without sound")
    render = bpy.context.scene.render
    render.engine, render.resolution_x, render.resolution_y = "CYCLES", 64, 64
    bpy.context.scene.cycles.samples = 1

    def film():
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "Szene 1.blend"))
        assert batch.main(arguments(render=tmp_path / "film.mp4")) == 0
        return aud.Sound(str(tmp_path / "film.mp4")).data()

    return film


def test_the_rendered_film_has_picture_and_sound(filmed, tmp_path):
    assert np.sqrt(np.mean(np.square(filmed()))) > 0.1
    film = bpy.data.movieclips.load(str(tmp_path / "film.mp4"))
    assert (film.frame_duration, tuple(film.size)) == (45, (64, 64))


@pytest.mark.parametrize(("muted", "count"), [(False, 1), (True, 2)])
def test_a_sound_that_the_scene_plays_already_is_not_doubled(
        filmed, scene, write_wav, voice, muted, count):
    strip = sequencer.add_sound(scene.sequence_editor_create(), write_wav(0.5 * voice), 3, 1)
    strip.mute = muted
    # Half the volume of 0.5, which Blender shares between left and right.
    assert np.abs(filmed()).max() == pytest.approx(0.25 / np.sqrt(2), abs=0.03)
    every = list(blender_compat.all_strips(bpy.context.scene.sequence_editor))
    assert len(every) == count


def test_it_runs_as_a_script_from_anywhere(arguments, tmp_path):
    out = subprocess.run([sys.executable, batch.__file__, "--", *arguments()], cwd=tmp_path,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=200)
    assert (out.returncode, "soliloquy:" in out.stderr) == (0, False)
    assert (tmp_path / "made" / "out.blend").is_file()


def test_as_a_script_it_exits_with_2(tmp_path):
    out = subprocess.run([sys.executable, str(Path(batch.__file__)), "--", "--object=X"],
                         stderr=subprocess.PIPE, text=True, timeout=200)
    assert (out.returncode, len(out.stderr.strip().splitlines())) == (2, 1)
