"""The preferences' buttons: models, the self-test, memory, log."""

import os
import shutil
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import (  # noqa: E402
    models,
    process_memory,
    self_test,
    session,
    task,
    user_files,
    workplace,
)
from blender_addon._backend import errors  # noqa: E402
from blender_addon.worker import WorkerError  # noqa: E402
from tests.addon.faces import SCALE, opening_at  # noqa: E402


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The user's folders in a temporary place, with no worker from before."""
    def folder(name: str, create: bool = False) -> Path:
        place = tmp_path / "home" / name
        if create:
            place.mkdir(parents=True, exist_ok=True)
        return place

    monkeypatch.setattr(user_files, "folder", folder)
    session.CURRENT.end_worker()
    models.forget()
    yield tmp_path / "home"
    session.CURRENT.end_worker()
    models.forget()


@pytest.fixture
def archive(tmp_path, tiny_pack):
    return shutil.make_archive(str(tmp_path / "tiny"), "zip", tiny_pack)


def test_an_installed_model_can_be_chosen_by_name_and_removed(home, spoken, ball, archive):
    assert bpy.ops.soliloquy.install_model(filepath=archive) == {"FINISHED"}
    assert "tiny-test" in models.names(bpy.context)
    spoken.soliloquy.model = "tiny-test"
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    assert opening_at(ball, 20) > 0.01 * SCALE
    assert bpy.ops.soliloquy.remove_model(model="tiny-test") == {"FINISHED"}
    assert "tiny-test" not in models.names(bpy.context)


def test_the_worker_sees_installed_models(home, scene, archive):
    bpy.ops.soliloquy.install_model(filepath=archive)
    bpy.ops.soliloquy.self_test(model="tiny-test")
    assert "tiny-test" in [info.name for info in session.CURRENT.worker.hello.packs]


def test_a_file_that_is_no_zip_is_refused(home, scene, write_wav, voice):
    with pytest.raises(RuntimeError, match=r"voice\.wav' is no \.zip file"):
        bpy.ops.soliloquy.install_model(filepath=str(write_wav(voice)))


def test_the_self_test_tells_frames_device_and_memory(home, scene, tiny_pack):
    assert bpy.ops.soliloquy.self_test(model=str(tiny_pack)) == {"FINISHED"}
    works, worker, memory = session.CURRENT.report
    assert "works, 30 frames of 42 vertices from 1 s of sound in" in works
    assert " on cpu" in worker
    assert "MB of memory" in memory
    assert not bpy.data.actions


def test_another_device_ends_an_idle_worker_and_no_other(home, scene, tiny_pack):
    bpy.ops.soliloquy.self_test(model=str(tiny_pack))
    worker = session.CURRENT.worker
    session.CURRENT.job = task.Task("Busy", lambda: None)
    session.CURRENT.end_idle_worker()
    assert worker.alive
    session.CURRENT.end_job()
    session.CURRENT.end_idle_worker()
    assert not worker.alive


def test_a_self_test_that_fails_says_why(home, scene):
    with pytest.raises(RuntimeError, match="There is no model 'nobody'"):
        bpy.ops.soliloquy.self_test(model="nobody")


def test_a_self_test_without_a_worker_leaves_no_file(home, scene, tiny_pack, monkeypatch):
    def no_worker(_context):
        raise WorkerError("worker_missing", "There is none.")

    session.CURRENT.end()
    monkeypatch.setattr(workplace, "ready", no_worker)
    with pytest.raises(RuntimeError, match="There is none"):
        bpy.ops.soliloquy.self_test(model=str(tiny_pack))
    assert not list(session.CURRENT.folder.iterdir())


def test_the_log_lies_in_the_users_folder_and_its_end_is_shown(home, scene, tiny_pack):
    bpy.ops.soliloquy.self_test(model=str(tiny_pack))
    (log,) = (home / "logs").glob("worker-*.log")
    log.write_text("".join(f"line {n}\n" for n in range(20)))
    bpy.ops.soliloquy.look_at_worker()
    assert session.CURRENT.report[-8:] == [f"line {n}" for n in range(12, 20)]


def test_old_logs_are_removed(home, scene):
    logs = user_files.folder("logs", create=True)
    for number in range(9):
        (logs / f"worker-{number}.log").touch()
        os.utime(logs / f"worker-{number}.log", (number, number))
    workplace._remove_old_logs(logs)
    assert sorted(log.name for log in logs.iterdir()) == [f"worker-{n}.log" for n in range(5, 9)]


def test_memory_is_that_of_the_process_asked_for():
    here = process_memory.of(os.getpid())
    assert here.now_mb > 20 and here.peak_mb >= here.now_mb
    assert process_memory.of(2**22 + 1) is None


def test_the_built_in_sound_is_a_second_and_is_heard(tmp_path):
    import wave

    self_test.write_hum(tmp_path / "hum.wav")
    with wave.open(str(tmp_path / "hum.wav")) as file:
        assert file.getnframes() == file.getframerate()
        samples = memoryview(file.readframes(16000)).cast("h")
    assert max(samples) > 8000


def test_a_task_that_is_cancelled_drops_its_result():
    undone: list[int] = []
    thinking = task.Task("Thinking", lambda: 3, undone.append)
    thinking.cancel()
    with pytest.raises(errors.Cancelled):
        while thinking.tick() is None:
            pass
    assert undone == [3]
