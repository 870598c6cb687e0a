"""One press, from request to takes, with a fake worker."""

import time

import numpy as np
import pytest

from blender_addon import face, job, takes
from blender_addon._backend import errors

TAKE = takes.Take(np.zeros((1, 4, 3), np.float32), np.zeros((2, 1), np.float32), 30.0, 0.05, 0,
                  0.0, "")
FACE = face.Face(np.eye(3), 4)
REQUEST = job.Request(job.Sound("a.wav"), "pack")


@pytest.fixture
def start(fake_worker, tmp_path):
    """start("behaviour", ...) -> a Job on a fake worker of that behaviour."""

    def make(*behaviour, match=lambda: FACE,
             prepare=lambda paths, fits: [TAKE] * len(paths), **options):
        folder = tmp_path / "job"
        folder.mkdir()
        return job.Job(fake_worker(*behaviour), REQUEST, match, prepare, folder,
                       **options)

    return make


def run(running, limit_s=60.0):
    until = time.monotonic() + limit_s
    while (made := running.tick()) is None and time.monotonic() < until:
        time.sleep(0.005)
    return made


def test_done_gives_one_take_per_motion_file(start):
    made = run(start("done", "1.npz", "2.npz",
                     prepare=lambda paths, fits: [path.name for path in paths]))
    assert made == ["1.npz", "2.npz"]


def test_progress_never_goes_back(start):
    running, seen = start("done", "1.npz"), []
    while running.tick() is None:
        seen.append(running.fraction)
    assert seen == sorted(seen)
    assert seen[0] >= 0.0 and seen[-1] >= 0.9


def test_a_failure_keeps_its_code_message_and_hint(start):
    with pytest.raises(errors.SoliloquyError, match=r"Nothing to hear\. Speak up\.") as caught:
        run(start("fails"))
    assert caught.value.code == "audio_silent"


def test_a_death_is_reported(start):
    with pytest.raises(errors.SoliloquyError, match="killed by signal 9"):
        run(start("dies"))


def test_a_hung_worker_is_killed(start):
    running = start("stops", silence_limit_s=0.3)
    with pytest.raises(errors.SoliloquyError, match=r"no sign of life for 0\.3 s"):
        run(running)
    assert not running._worker.alive


def test_cancel_ends_the_job_and_keeps_the_worker(start):
    running = start("obeys")
    running.cancel()
    with pytest.raises(errors.Cancelled):
        run(running)
    assert running._worker.alive


def test_a_worker_that_ignores_cancel_is_killed(start, monkeypatch):
    monkeypatch.setattr(job, "CANCEL_GRACE_S", 0.2)
    running = start("stops")
    running.cancel()
    with pytest.raises(errors.Cancelled):
        run(running)
    assert not running._worker.alive


def test_a_face_that_does_not_fit_ends_the_job_before_the_worker_is_done(start):
    def refuse():
        raise errors.SoliloquyError("face_unknown", "Not a face.")

    with pytest.raises(errors.SoliloquyError, match="Not a face"):
        run(start("obeys", match=refuse))


def test_an_error_while_making_keys_is_the_jobs_error(start):
    def refuse(paths, fits):
        raise errors.MotionError("motion_damaged", f"{paths[0]} is bad.")

    with pytest.raises(errors.MotionError, match=r"1\.npz is bad"):
        run(start("done", "1.npz", prepare=refuse))


def test_the_label_says_how_long_the_worker_has_been_silent(start):
    running = start("obeys")
    assert running.label == "Starting the worker"
    running._worker._last_word -= 7
    assert running.label == "Starting the worker (no word for 7 s)"
    running.cancel()
    assert running.label == "Cancelling"


def test_closing_removes_the_jobs_files(start, tmp_path):
    running = start("obeys")
    running.close()
    assert not (tmp_path / "job").exists()


def test_the_worker_is_asked_once_the_sound_is_mixed(start):
    steps = []

    def mixing():
        for share in (0.5, 1.0):
            steps.append(share)
            yield share

    running = start("done", "1.npz", mixing=mixing())
    assert (running.label, running.fraction, steps) == ("Mixing the sound", 0.025, [0.5])
    assert run(running) and steps == [0.5, 1.0]


def test_a_job_is_cancelled_while_the_sound_is_mixed(start):
    running = start("obeys", mixing=(share for share in (0.1, 0.2)))
    running.cancel()
    with pytest.raises(errors.Cancelled):
        running.tick()
    assert running._worker.alive
