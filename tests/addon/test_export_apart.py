"""An export in a Blender of its own: the same file as one written here, and nothing left behind."""

import sys
import time

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import session  # noqa: E402
from blender_addon._backend import errors  # noqa: E402
from blender_addon.exports import apart, formats, menu  # noqa: E402
from tests.addon import export_formats  # noqa: E402
from tests.addon.faces import imported, places_at  # noqa: E402


@pytest.fixture
def talking(spoken, ball, monkeypatch):
    """The talking ball; the module is no program, so that Python stands for Blender."""
    def command(expression, argument):
        return [sys.executable, "-c", f"import bpy; {expression}", "--", argument]

    monkeypatch.setattr(apart, "command", command)
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    return ball


def exported(face, kind, path):
    """The job, begun."""
    session.CURRENT.job = apart.Export(face, bpy.context.scene, kind, path)
    return session.CURRENT.job


def ended(job):
    """What a job gives, and the shares of the work that it told on the way."""
    seen = []
    while (made := job.tick()) is None:
        seen.append(job.fraction)
        time.sleep(0.01)
    return made, seen


@pytest.fixture
def both(talking, tmp_path):
    """both(kind) -> the file of the ball, hung on a neck, as written here and there."""
    talking.parent = neck = bpy.data.objects.new("Neck", None)
    bpy.context.scene.collection.objects.link(neck)
    neck.location = 1.0, 2.0, 3.0

    def write(kind):
        export_formats.need(kind)
        here, there = (tmp_path / f"{name}{formats.ENDINGS[kind]}" for name in ("here", "there"))
        formats.write(bpy.context, talking, kind, here)
        assert ended(exported(talking, kind, there))[0] == [there]
        session.CURRENT.end_job()
        assert sorted(tmp_path.glob("*here*")) == [here, there]
        return here, there

    return write


@pytest.mark.parametrize("metres_per_unit", [1.0, 0.01])
@pytest.mark.parametrize("kind", ["PC2", "MDD", "CSV", "GLTF", "USD"])
def test_the_file_is_the_one_that_is_written_here(both, scene, kind, metres_per_unit):
    scene.unit_settings.scale_length = metres_per_unit
    here, there = both(kind)
    assert there.read_bytes() == here.read_bytes()


def test_alembic_plays_as_if_it_were_written_here(both):
    """It tells when and from which file it was written, so that its bytes differ."""
    here, there = (imported(bpy.ops.wm.alembic_import, path) for path in both("ALEMBIC"))
    assert there.matrix_world == here.matrix_world and there.parent.name.startswith("Neck")
    for frame in (8, 20, 33, 50):
        np.testing.assert_array_equal(places_at(there, frame), places_at(here, frame))


TELLS_58 = """
import json, pathlib, sys, time
pathlib.Path(json.loads(sys.argv[-1])["progress"]).write_text("      58")
time.sleep(600)
"""


def test_progress_is_the_share_of_the_frames_that_were_posed(talking, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "command", lambda _expression, argument: [
        sys.executable, "-c", TELLS_58, argument])
    job = exported(talking, "PC2", tmp_path / "a.pc2")
    seen = [job.fraction]
    while seen[-1] == 0.0:
        assert job.tick() is None
        seen.append(job.fraction)
    assert seen[-1] == pytest.approx(52 / 53)  # the last of frames 6 to 58


def test_progress_never_falls(talking, tmp_path):
    _made, seen = ended(exported(talking, "PC2", tmp_path / "a.pc2"))
    assert seen == sorted(seen) and seen[0] >= 0.0 and seen[-1] <= 1.0


def test_what_is_changed_meanwhile_does_not_get_into_the_file(talking, tmp_path):
    formats.write(bpy.context, talking, "PC2", tmp_path / "before.pc2")
    job = exported(talking, "PC2", tmp_path / "after.pc2")
    talking.data.vertices[0].co.z += 1.0
    ended(job)
    assert (tmp_path / "after.pc2").read_bytes() == (tmp_path / "before.pc2").read_bytes()


ENDLESS = """
import os, pathlib, time
pathlib.Path("{folder}", f".a.{{os.getpid()}}.pc2").write_text("half")
time.sleep(600)
"""


def test_a_cancel_stops_it_and_leaves_nothing(talking, tmp_path, monkeypatch):
    endless = [sys.executable, "-c", ENDLESS.format(folder=tmp_path)]
    monkeypatch.setattr(apart, "command", lambda *_: endless)
    job = exported(talking, "PC2", tmp_path / "a.pc2")
    while not list(tmp_path.glob(".a.*.pc2")):
        assert job.tick() is None
    job.cancel()
    with pytest.raises(errors.Cancelled):
        job.tick()
    session.CURRENT.end_job()
    assert not list(tmp_path.glob("*a.*"))
    assert not list(session.CURRENT.folder.glob("job-*"))


def test_what_cannot_be_written_is_one_clear_line(talking, tmp_path):
    job = exported(talking, "PC2", tmp_path / "no" / "a.pc2")
    with pytest.raises(errors.RequestError, match=r"a\.pc2' could not be written: .*No such file"):
        ended(job)


SAYS_DONE = """
import json, os, pathlib, sys, time
pathlib.Path(json.loads(sys.argv[-1])["verdict"]).write_text("done")
"""


@pytest.mark.parametrize("end", ["os.abort()", "time.sleep(600)"])
def test_it_goes_by_what_the_other_blender_said_and_not_by_how_it_ended(talking, tmp_path,
                                                                        monkeypatch, end):
    monkeypatch.setattr(apart, "command", lambda _expression, argument: [
        sys.executable, "-c", SAYS_DONE + end, argument])
    assert ended(exported(talking, "PC2", tmp_path / "a.pc2"))[0] == [tmp_path / "a.pc2"]


def test_one_that_ended_without_a_word_did_not_write(talking, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "command", lambda *_: [sys.executable, "-c", "raise SystemExit(7)"])
    with pytest.raises(errors.RequestError, match="written: Blender ended with code 7"):
        ended(exported(talking, "PC2", tmp_path / "a.pc2"))


def test_a_blender_that_does_not_start_is_one_clear_line(talking, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "command", lambda *_: [str(tmp_path / "none")])
    with pytest.raises(errors.RequestError, match="No second Blender starts"):
        exported(talking, "PC2", tmp_path / "a.pc2")


def test_a_face_driven_by_what_only_this_blender_knows_is_not_written_there(talking, tmp_path):
    bpy.app.driver_namespace["only_here"] = lambda: 0.5
    try:
        driver = talking.driver_add("location", 0).driver
        driver.expression = "only_here()"
        job = exported(talking, "PC2", tmp_path / "a.pc2")
        with pytest.raises(errors.RequestError) as caught:
            ended(job)
    finally:
        del bpy.app.driver_namespace["only_here"]
    assert caught.value.code == "export_unlike"
    assert not (tmp_path / "a.pc2").exists()


def test_it_opens_what_it_was_given_with_the_trust_that_this_file_has():
    assert apart.command("pass", "{}")[1:] == [
        "--background", "--factory-startup", "--enable-autoexec", "--python-expr", "pass", "--",
        "{}"]


def test_a_face_driven_by_its_scene_is_written_there_as_well(talking, tmp_path):
    driver = talking.driver_add("location", 0).driver
    variable = driver.variables.new()
    variable.targets[0].id_type = "SCENE"
    variable.targets[0].id, variable.targets[0].data_path = bpy.context.scene, "frame_current"
    driver.expression = variable.name
    assert ended(exported(talking, "PC2", tmp_path / "a.pc2"))[0] == [tmp_path / "a.pc2"]


def test_a_place_that_refuses_to_be_cleaned_leaves_no_job(talking, tmp_path):
    (tmp_path / "file").write_text("")
    job = exported(talking, "PC2", tmp_path / "file" / "a.pc2")
    with pytest.raises(errors.RequestError, match="Not a directory"):
        ended(job)
    session.CURRENT.end_job()
    assert not session.CURRENT.busy


class Unlike(menu.Running):
    """The export's answer to a face that does not move elsewhere as it does here."""

    kind, failed = "PC2", menu.SOLILOQUY_OT_export.failed
    _write_here, done = menu.SOLILOQUY_OT_export._write_here, menu.SOLILOQUY_OT_export.done

    def __init__(self, face, path):
        self._face, self._path, self.said = face, lambda: path, []

    def say(self, kind, text):
        self.said.append((kind, text))


def test_what_is_written_here_after_all_is_the_face_that_was_meant(talking, tmp_path):
    formats.write(bpy.context, talking, "PC2", tmp_path / "a.pc2")
    bpy.context.scene.soliloquy.face = None
    unlike = Unlike("Ball", tmp_path / "b.pc2")
    assert unlike.failed(errors.RequestError("export_unlike", "")) == {"FINISHED"}
    assert (tmp_path / "b.pc2").read_bytes() == (tmp_path / "a.pc2").read_bytes()


def test_a_face_that_is_edited_by_then_is_not_written_wrongly(talking, tmp_path):
    bpy.context.view_layer.objects.active = talking
    bpy.ops.object.mode_set(mode="EDIT")
    unlike = Unlike("Ball", tmp_path / "b.pc2")
    assert unlike.failed(errors.RequestError("export_unlike", "")) == {"CANCELLED"}
    assert unlike.said == [("ERROR", "'Ball' was changed while it was looked at. Export it again.")]
    bpy.ops.object.mode_set(mode="OBJECT")
