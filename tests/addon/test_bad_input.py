"""Every bad input: one clear line, and the scene as it was."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import disabled_reason, press, session, writing  # noqa: E402
from tests.addon.faces import add_ball  # noqa: E402


def refused(match, operator=None):
    """Press the button, expect one line that matches, and an untouched scene; returns the line."""
    before = [(o.name, o.data.shape_keys if o.type == "MESH" else None) for o in bpy.data.objects]
    with pytest.raises(RuntimeError, match=match) as caught:
        bpy.ops.soliloquy.animate_from_audio()
    line = str(caught.value).strip()
    assert "\n" not in line and "Traceback" not in line
    assert len(bpy.data.actions) == 0
    assert [(o.name, o.data.shape_keys if o.type == "MESH" else None)
            for o in bpy.data.objects] == before
    assert not session.CURRENT.busy
    return line


def test_no_strip_selected(ball, scene):
    refused("Select a sound strip in the Video Sequencer")


def test_no_file_chosen(spoken):
    spoken.soliloquy.filepath = " "
    refused("Choose a sound file")


def test_no_face(spoken):
    spoken.soliloquy.face = None
    refused("Choose a face")


def test_an_object_without_a_mesh(spoken):
    empty = bpy.data.objects.new("Null", None)
    spoken.collection.objects.link(empty)
    spoken.soliloquy.face = empty
    refused("'Null' is not a mesh")


def test_a_face_deleted_from_the_scene(spoken, ball):
    spoken.collection.objects.unlink(ball)
    refused("'Ball' is not in this scene: choose another face")


def test_a_file_that_is_not_there(spoken):
    spoken.soliloquy.filepath = "/no such/voice.wav"
    refused("There is no sound file '/no such/voice.wav'")


def test_an_empty_sound(spoken, tmp_path):
    (tmp_path / "empty.wav").write_bytes(b"")
    spoken.soliloquy.filepath = str(tmp_path / "empty.wav")
    refused("empty.wav")


def test_a_sound_without_samples(spoken, write_wav):
    spoken.soliloquy.filepath = str(write_wav(np.zeros(0), name="short.wav"))
    refused("short.wav")


def test_a_silent_sound(spoken, write_wav):
    spoken.soliloquy.filepath = str(write_wav(np.zeros(16000), name="quiet.wav"))
    refused("quiet.wav.* silent")


def test_a_corrupt_sound(spoken, write_wav, voice):
    path = write_wav(voice, name="broken.wav")
    path.write_bytes(path.read_bytes()[:10] + bytes(200))
    spoken.soliloquy.filepath = str(path)
    refused("broken.wav")


def test_a_file_that_is_no_sound(spoken, tmp_path):
    (tmp_path / "letter.doc").write_text("Dear Sir or Madam")
    spoken.soliloquy.filepath = str(tmp_path / "letter.doc")
    refused("letter.doc")


def test_an_unknown_model(spoken):
    spoken.soliloquy.model = "gldi-flam"
    refused("There is no model 'gldi-flam'")


def test_no_model(spoken):
    spoken.soliloquy.model = ""
    refused("Choose a model")


def test_an_unknown_style(spoken):
    spoken.soliloquy.style = "grumpy"
    refused("grumpy.*calm")


def test_a_pack_with_a_flipped_byte(spoken, tiny_pack, tmp_path):
    copy = shutil.copytree(tiny_pack, tmp_path / "pack")
    content = bytearray((copy / "decoder.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "decoder.onnx").write_bytes(content)
    spoken.soliloquy.model = str(copy)
    refused("damaged: 'decoder.onnx': its checksum is wrong")


def test_a_mesh_of_another_size(spoken):
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    spoken.soliloquy.face = cube = bpy.data.objects.new("Cube", mesh)
    spoken.collection.objects.link(cube)
    refused("'Cube' has 3 vertices; the model 'tiny-test' moves a 'tiny' mesh of 42")


def test_a_mesh_with_reordered_vertices(spoken):
    order = np.random.default_rng(3).permutation(42)
    spoken.soliloquy.face = add_ball("Sorted", order)
    refused("vertices of 'Sorted' are not in the order of 'tiny-test'")


def test_a_mesh_without_size(spoken, ball):
    for vertex in ball.data.vertices:
        vertex.co = (1.0, 2.0, 3.0)
    refused("has no size")


def test_a_mesh_with_a_lost_vertex_place(spoken, ball):
    ball.data.vertices[3].co.x = float("nan")
    refused("a vertex whose place is not a number")


def test_a_linked_mesh(spoken, ball, tmp_path):
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, {ball})
    with bpy.data.libraries.load(path, link=True) as (source, target):
        target.objects = source.objects
    spoken.soliloquy.face = target.objects[0]
    spoken.collection.objects.link(target.objects[0])
    refused("'Ball' is linked from another file")


def test_an_overridden_object_speaks_once_its_mesh_is_its_own(spoken, ball, tmp_path):
    path, hero = str(tmp_path / "library.blend"), bpy.data.collections.new("Hero")
    hero.objects.link(ball)
    bpy.data.libraries.write(path, {hero})
    with bpy.data.libraries.load(path, link=True) as (_source, target):
        target.collections = ["Hero"]
    linked = target.collections[0]
    spoken.collection.children.link(linked)
    made = linked.override_hierarchy_create(spoken, bpy.context.view_layer, do_fully_editable=True)
    spoken.soliloquy.face = face = made.all_objects[0]
    refused("The mesh of 'Ball.*' is linked")
    bpy.context.view_layer.objects.active = face
    face.select_set(True)
    bpy.ops.object.make_single_user(object=False, obdata=True)
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    assert face.override_library is not None and len(face.data.shape_keys.key_blocks) > 1


def test_a_mesh_shared_by_two_objects(spoken, ball):
    twin = bpy.data.objects.new("Twin", ball.data)
    spoken.collection.objects.link(twin)
    refused("shared by several objects")


def test_a_mesh_in_edit_mode(spoken, ball):
    bpy.context.view_layer.objects.active = ball
    bpy.ops.object.mode_set(mode="EDIT")
    refused("'Ball' is in Edit Mode")
    bpy.ops.object.mode_set(mode="OBJECT")


def test_absolute_shape_keys(spoken, ball):
    ball.shape_key_add(name="Basis")
    ball.data.shape_keys.use_relative = False
    with pytest.raises(RuntimeError, match="absolute shape keys"):
        bpy.ops.soliloquy.animate_from_audio()


@pytest.mark.parametrize(("change", "match"), [
    (lambda data: setattr(data, "use_nla", False), "NLA evaluation is off"),
    (lambda data: setattr(data.nla_tracks[0], "is_solo", True), "plays solo"),
])
def test_nla_settings_that_would_hide_the_result(spoken, ball, change, match):
    ball.shape_key_add(name="Basis")
    data = ball.data.shape_keys.animation_data_create()
    data.nla_tracks.new()
    change(data)
    with pytest.raises(RuntimeError, match=match):
        bpy.ops.soliloquy.animate_from_audio()


def test_a_missing_worker(spoken, monkeypatch):
    session.CURRENT.end_worker()
    monkeypatch.setattr(sys, "executable", "/no/python")
    refused("worker could not be started")


def test_a_worker_whose_libraries_are_missing(spoken, monkeypatch):
    session.CURRENT.end_worker()
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    refused("worker process ended with exit code 1")


@pytest.fixture
def slow(spoken, write_wav, voice):
    """A job of some seconds: many steps over a longer sound."""
    spoken.soliloquy.filepath = str(write_wav(np.tile(voice, 60), name="long.wav"))
    spoken.soliloquy.steps = 900
    return spoken


def worker_soon(action):
    """Do something to the worker once a job runs."""

    def wait():
        until = time.monotonic() + 60
        while time.monotonic() < until:
            job = session.CURRENT.job
            if job is not None and job.stage == "imagine":
                return action(session.CURRENT)
            time.sleep(0.01)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_worker_killed_in_the_middle_and_the_next_press_works(slow):
    thread = worker_soon(lambda s: os.kill(s.worker.pid, signal.SIGKILL))
    refused("killed by signal 9")
    thread.join()
    slow.soliloquy.steps = 4
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}


def test_a_worker_that_hangs_and_the_next_press_works(slow):
    def hang(current):
        os.kill(current.worker.pid, signal.SIGSTOP)
        current.job._silence_limit_s = 0.2

    thread = worker_soon(hang)
    refused(r"no sign of life for 0\.2 s")
    thread.join()
    slow.soliloquy.steps = 4
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}


def test_cancelling_leaves_nothing_and_is_no_error(slow):
    thread = worker_soon(lambda s: s.job.cancel())
    assert bpy.ops.soliloquy.animate_from_audio() == {"CANCELLED"}
    thread.join()
    assert (session.CURRENT.message, session.CURRENT.failed) == ("Cancelled", False)
    assert len(bpy.data.actions) == 0


def test_a_face_deleted_during_the_job(slow):
    destination = press.begin(bpy.context)
    bpy.data.objects.remove(bpy.data.objects["Ball"])
    with pytest.raises(writing.FaceGone, match="'Ball' was renamed or deleted"):
        writing.write_all([], destination)
    press.abandon()


def test_the_panel_keeps_the_error_and_its_hint(spoken):
    spoken.soliloquy.model = "nobody"
    refused("nobody")
    assert session.CURRENT.failed
    assert session.CURRENT.message == "There is no model 'nobody'."
    assert session.CURRENT.hint.startswith("Choose one of")


def test_unregistering_ends_a_running_job_and_its_worker(slow, addon):
    press.begin(bpy.context)
    pid = session.CURRENT.worker.pid
    addon.unregister()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not session.CURRENT.busy
    addon.register()


@pytest.mark.parametrize("ending", [
    # Not sys.exit: the bpy 4.5 wheel hangs there with any operator registered.
    "atexit._run_exitfuncs(); os._exit(0)",
    "os.kill(os.getpid(), 9)",
])
def test_no_process_outlives_blender(slow, tmp_path, ending):
    script = tmp_path / "quits.py"
    script.write_text(QUITTING_BLENDER.format(ending=ending, settings={
        "filepath": slow.soliloquy.filepath, "model": slow.soliloquy.model, "steps": 900}))
    out = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True,
                         timeout=200, env={**os.environ, "PYTHONPATH": os.getcwd(),
                                          "TMPDIR": str(tmp_path)})
    pid = int(out.stdout.split("worker ")[1].split()[0])
    assert gone_within(pid, 30.0)


QUITTING_BLENDER = """
import atexit, os, time
import bpy, blender_addon
from blender_addon import press, session
from tests.addon.faces import add_ball
bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
blender_addon.register()
settings = bpy.context.scene.soliloquy
settings.source, settings.face = "FILE", add_ball("Ball")
for name, value in {settings}.items():
    setattr(settings, name, value)
press.begin(bpy.context)
while session.CURRENT.job.stage != "imagine":
    session.CURRENT.job.tick()
    time.sleep(0.01)
print("worker", session.CURRENT.worker.pid, flush=True)
{ending}
"""


def gone_within(pid, limit_s):
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_reasons_are_cheap_and_touch_no_file(spoken, monkeypatch):
    monkeypatch.setattr("builtins.open", None)
    spoken.soliloquy.filepath = "/no such/file.wav"
    assert disabled_reason.for_animating(bpy.context) == ""
