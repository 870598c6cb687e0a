"""The worker as a real child process."""

import contextlib
import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from backend import messages, motion, server
from backend.messages import (
    Cancel,
    Done,
    EmotionSpan,
    Failed,
    Generate,
    Heard,
    Hello,
    Listen,
    Progress,
    Redo,
    Shutdown,
)
from tests.data import make_tiny_pack

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60


class Child:
    """A worker with its replies in a queue, so that a test waits and never hangs."""

    def __init__(self, models, log, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOLILOQUY_MODELS": str(models),
                       "TMPDIR": str(log.parent)}
        self.log = log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "backend", "serve", *arguments], env=environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode("ascii"))

    def send(self, message):
        self.write(messages.encode(message) + "\n")

    def write(self, text):
        self.process.stdin.write(text.encode("utf-8"))
        self.process.stdin.flush()

    def next(self):
        return messages.decode(self.lines.get(timeout=PATIENCE_S))

    def outcome(self):
        """The next message that is no Progress."""
        while isinstance(message := self.next(), Progress):
            pass
        return message

    def close(self):
        """End it whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        for pipe in (self.process.stdout, self.process.stdin):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        return code


@pytest.fixture
def child(tiny_pack, tmp_path):
    with closing(Child(tiny_pack.parent, tmp_path / "worker.log")) as worker:
        yield worker


@pytest.fixture
def wav(write_wav, voice):
    return write_wav(voice, name="été 日本 1.wav")


def request(wav, out, job_id="1", **wishes):
    return Generate(job_id, str(wav), "tiny_pack", str(out), **wishes)


def test_it_greets_with_versions_device_and_packs(child):
    hello = child.next()
    assert isinstance(hello, Hello) and hello.protocol == 1
    assert hello.device == "cpu" and hello.device_note.startswith("cpu")
    # Packs that ship come after those of SOLILOQUY_MODELS.
    first = hello.packs[0]
    assert (first.name, first.vertex_count, first.styles) == ("tiny-test", 42, ("calm", "lively"))


def test_a_request_ends_in_files_after_progress_through_all_stages(child, wav, tmp_path):
    child.next()
    child.send(request(wav, tmp_path / "out ü", takes=2))
    seen = []
    while isinstance(message := child.next(), Progress):
        seen.append(message)
    assert isinstance(message, Done) and message.id == "1"
    assert list(dict.fromkeys(step.stage for step in seen)) == list(messages.STAGES)
    assert [Path(path).name for path in message.paths] == ["motion_take1.npz", "motion_take2.npz"]
    assert motion.load(message.paths[1]).displacements.shape == (45, 42, 3)


def test_part_of_a_file_gives_the_frames_of_that_part(child, wav, tmp_path):
    child.next()
    child.send(request(wav, tmp_path, start_s=0.25, duration_s=1.0, speed=2.0))
    assert motion.load(child.outcome().paths[0]).audio_seconds == 0.5


def test_a_range_of_a_motion_is_made_again(child, wav, tmp_path):
    child.next()
    child.send(request(wav, tmp_path / "old"))
    old = child.outcome().paths[0]
    child.send(request(wav, tmp_path / "new", seed=4, redo=Redo(old, 0.5, 1.0)))
    before, after = motion.load(old), motion.load(child.outcome().paths[0])
    assert np.abs(before.displacements - after.displacements)[15:30].max() > 1e-4
    np.testing.assert_array_equal(before.displacements[36:], after.displacements[36:])
    child.send(request(wav, tmp_path / "no", redo=Redo(old, 7.0, 8.0)))
    assert child.outcome().code == "bad_redo"


def test_it_tells_what_emotion_is_heard_and_goes_on(wav, tmp_path):
    make_tiny_pack.make_emotional(tmp_path / "models" / "emotional")
    with closing(Child(tmp_path / "models", tmp_path / "worker.log")) as child:
        child.next()
        child.send(Listen("1", str(wav), "emotional"))
        seconds = pytest.approx(1.5)
        assert child.outcome() == Heard("1", (EmotionSpan("neutral", 1.0, 0.0, seconds),))
        child.send(Listen("2", str(wav), "gldi-flame"))
        assert child.outcome().code == "no_emotions"


def test_the_same_request_twice_gives_the_same_bytes(child, wav, tmp_path):
    child.next()
    for name in ("a", "b"):
        child.send(request(wav, tmp_path / name, name))
        assert isinstance(child.outcome(), Done)
    assert (tmp_path / "a/motion.npz").read_bytes() == (tmp_path / "b/motion.npz").read_bytes()


def test_cancel_stops_the_running_job_and_the_next_one_runs(child, write_wav, voice, tmp_path):
    child.next()
    child.send(request(write_wav(np.tile(voice, 400), name="long.wav"), tmp_path / "long", "long",
                       steps=1000))
    while not (isinstance(step := child.next(), Progress) and step.stage == "imagine"):
        pass
    child.send(Cancel("long"))
    assert child.outcome() == Failed("long", "cancelled", "Cancelled.", "")
    assert not (tmp_path / "long").exists()
    child.send(request(write_wav(voice, name="short.wav"), tmp_path / "short", "short"))
    assert isinstance(child.outcome(), Done)


def test_cancel_stops_a_job_that_still_waits(child, write_wav, voice, tmp_path):
    child.next()
    slow = request(write_wav(np.tile(voice, 400), name="long.wav"), tmp_path / "l", "first",
                   steps=1000)
    child.send(slow)
    child.send(request(write_wav(voice), tmp_path / "w", "waiting"))
    child.send(Cancel("waiting"))
    child.send(Cancel("first"))
    assert [child.outcome().id for _ in range(2)] == ["first", "waiting"]
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(("line", "name", "code"), [
    ("garbage", "", "bad_message"), ("\xff\x00", "", "bad_message"),
    ('{"type": "Generate", "id": "4", "seed": "x"}', "4", "bad_message"),
    ('{"type": "Generate", "id": "5", "audio": "", "pack": "", "out_dir": "", "speed": 1'
     + 400 * "0" + "}", "5", "bad_message"),
    (json.dumps({"type": "Done", "id": "2", "paths": [], "seconds": 1, "timings": {}}), "2",
     "bad_message")])
def test_a_garbage_line_is_refused_and_the_worker_lives_on(child, wav, tmp_path, line, name, code):
    child.next()
    child.write(line + "\n")
    refusal = child.next()
    assert (refusal.id, refusal.code) == (name, code)
    child.send(request(wav, tmp_path))
    assert isinstance(child.outcome(), Done)


def test_a_line_that_breaks_the_reader_is_answered_and_the_next_one_read(tmp_path, monkeypatch):
    def decode(line):
        if '"odd"' in line:
            raise OverflowError("int too large")
        raise AssertionError("the second line is not UTF-8")

    monkeypatch.setattr(server.messages, "decode", decode)
    replies = io.BytesIO()
    worker = server.Worker(io.BytesIO(b'{"id": "odd"}\n\xff\n'), replies, tmp_path, "cpu")
    monkeypatch.setattr(worker, "_stop", lambda: None)
    worker._read()
    first, second = (json.loads(line) for line in replies.getvalue().splitlines())
    assert (first["id"], first["code"]) == ("odd", "internal")
    assert "OverflowError: int too large" in first["message"]
    assert second["code"] == "bad_message"


@pytest.mark.parametrize(("change", "code"), [
    ({"pack": "gldi-moon"}, "pack_unknown"), ({"audio": "/none.wav"}, "audio_missing"),
    ({"takes": 0}, "bad_takes"), ({"style": "odd"}, "style_unknown"), ({"seed": -5}, "bad_seed"),
    ({"speed": 0.0}, "bad_span"), ({"out_dir": __file__}, "cannot_write")])
def test_a_bad_request_fails_with_its_code_and_the_worker_lives_on(child, wav, tmp_path, change,
                                                                   code):
    child.next()
    fields = {"id": "9", "audio": str(wav), "pack": "tiny_pack", "out_dir": str(tmp_path), **change}
    child.send(Generate(**fields))
    refusal = child.outcome()
    assert (refusal.id, refusal.code) == ("9", code) and refusal.message
    child.send(request(wav, tmp_path))
    assert isinstance(child.outcome(), Done)


def test_without_a_place_results_go_to_a_private_folder_that_goes_with_the_worker(child, wav):
    child.next()
    child.send(request(wav, ""))
    path = Path(child.outcome().paths[0])
    assert path.is_file() and path.parents[1].stat().st_mode & 0o777 == 0o700
    assert child.end() == 0
    assert not path.parents[1].exists()


def test_it_ends_when_stdin_closes(child):
    child.next()
    assert child.end() == 0
    assert child.log.read_text() == ""


def test_it_ends_when_stdin_closes_in_the_middle_of_a_job(child, write_wav, voice, tmp_path):
    child.next()
    child.send(request(write_wav(np.tile(voice, 400)), tmp_path / "o", steps=1000))
    child.next()
    assert child.end() == 0
    assert not (tmp_path / "o").exists()


def test_shutdown_ends_it(child):
    child.next()
    child.send(Shutdown())
    assert child.process.wait(PATIENCE_S) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells by stdin alone")
def test_it_ends_when_its_parent_is_killed_though_another_holds_its_stdin():
    script = ("import subprocess, sys, time\n"
              "child = subprocess.Popen([sys.executable, '-m', 'backend', 'serve'], stdin=0,"
              " stdout=subprocess.PIPE)\n"
              "child.stdout.readline()\n"
              "print(child.pid, flush=True)\n"
              "time.sleep(600)\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", script], env=environment, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait(PATIENCE_S)
        deadline_s = time.monotonic() + PATIENCE_S
        while alive(worker) and time.monotonic() < deadline_s:
            time.sleep(0.1)
        assert not alive(worker)


def alive(process_id):
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_others_print_never_reaches_the_protocol(tmp_path):
    script = ("import os, sys\nfrom backend import server\n"
              "replies = server.claim_stdout()\n"
              "print('python')\nsys.stdout.flush()\nos.write(1, b'library\\n')\n"
              "replies.write(b'message\\n')\nreplies.flush()\n")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    assert done.stdout == "message\n" and done.stderr.split() == ["python", "library"]


def test_a_device_that_is_not_there_leaves_a_worker_on_the_processor(tiny_pack, tmp_path):
    worker = Child(tiny_pack.parent, tmp_path / "log", "--device", "directml")
    hello = worker.next()
    assert hello.device == "cpu" and "'directml' cannot be used" in hello.device_note
    assert worker.end() == 0
    worker.process.stdin.close()


def test_a_broken_pack_does_not_hide_the_others(tiny_pack, tmp_path, monkeypatch, capsys):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    monkeypatch.setenv("SOLILOQUY_MODELS", os.pathsep.join([str(tmp_path), str(tiny_pack.parent)]))
    assert "tiny-test" in [known.name for known in server.known_packs()]
    assert "manifest of the pack" in capsys.readouterr().err
