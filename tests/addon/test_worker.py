"""The worker process seen from Blender, played by fake_worker.py."""

import os
import signal
import time
from pathlib import Path

import pytest

from blender_addon import worker
from blender_addon._backend import messages

GENERATE = messages.Generate(id="a", audio="a.wav", pack="p", out_dir="o")


def replies_of(process, count=1, limit_s=60.0):
    """At least `count` replies; raises what poll raises."""
    heard, until = [], time.monotonic() + limit_s
    while len(heard) < count and time.monotonic() < until:
        heard += process.poll()
        time.sleep(0.005)
    return heard


def test_the_worker_says_hello(fake_worker):
    process = fake_worker("done")
    assert replies_of(process)[0].version == "0"
    assert process.hello.protocol == 1


def test_replies_arrive_in_order(fake_worker):
    process = fake_worker("done", "motion.npz")
    process.send(GENERATE)
    kinds = [type(reply).__name__ for reply in replies_of(process, 3)]
    assert kinds == ["Hello", "Progress", "Done"]


def test_a_killed_worker_is_noticed_with_the_signal_and_the_last_log_line(fake_worker):
    process = fake_worker("dies")
    process.send(GENERATE)
    with pytest.raises(worker.WorkerError, match=r"killed by signal 9 \(out of luck\)"):
        replies_of(process, 9)
    assert not process.alive


def test_sending_to_a_dead_worker_says_so(fake_worker):
    process = fake_worker("done")
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(worker.WorkerError, match="killed by signal 9"):
        for _ in range(1000):
            process.send(GENERATE)
            time.sleep(0.01)


def test_a_stopped_worker_can_still_be_killed(fake_worker):
    process = fake_worker("stops")
    process.send(GENERATE)
    replies_of(process)
    process.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_silence_is_measured_from_the_last_word(fake_worker):
    process = fake_worker("stops")
    replies_of(process)
    process._last_word -= 100
    assert process.silent_s >= 100
    process.send(GENERATE)
    assert process.silent_s < 100


def test_a_missing_python_is_one_clear_error(tmp_path):
    start = worker.Launch((str(tmp_path / "no python"),), {}, tmp_path / "log")
    with pytest.raises(worker.WorkerError, match=r"could not be started: .*no python"):
        worker.Worker(start)


def test_another_protocol_is_refused(fake_worker):
    with pytest.raises(worker.WorkerError, match="speaks protocol 2, the add-on 1"):
        replies_of(fake_worker("newer"))


def test_a_line_that_is_no_message_is_an_error(fake_worker):
    process = fake_worker("babbles")
    replies_of(process)
    process.send(GENERATE)
    with pytest.raises(worker.errors.MessageError):
        replies_of(process)


def test_stop_ends_the_process(fake_worker):
    process = fake_worker("done")
    replies_of(process)
    process.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_the_child_finds_its_libraries_and_not_the_working_folder(tmp_path):
    start = worker.launch("python3", tmp_path, "cpu")
    first = start.environment["PYTHONPATH"].split(os.pathsep)[0]
    assert (Path(first) / "backend").is_dir()
    assert start.environment["PYTHONSAFEPATH"] == "1"
    assert start.command == ("python3", "-m", "backend", "serve", "--device", "cpu")
