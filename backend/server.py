"""The worker that stays open beside Blender: requests in on stdin, replies out on stdout.

One thread reads, so that Cancel arrives while a job runs; the main thread works. stdout belongs to
the protocol alone: whatever else prints, Python or a C library, lands on stderr. The worker ends
when stdin closes, when its parent is gone, or on Shutdown.
"""

import os
import queue
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO

from . import __version__, messages, pack
from .errors import Cancelled, DeviceError, MessageError, SoliloquyError
from .messages import Cancel, Failed, Generate, Hello, Listen, Message, Progress, Shutdown
from .pipeline import Generator, take_paths
from .sessions import Device, choose_device

# What the worker does one after another.
Job = Generate | Listen

_GRACE_S = 5.0
_PARENT_CHECK_S = 1.0
_PROGRESS_INTERVAL_S = 0.05
_MOST_LINE_BYTES = 1_000_000


def serve(wanted_device: str = "auto") -> int:
    """Answer requests until there are no more; returns the exit code."""
    replies = claim_stdout()
    scratch = Path(tempfile.mkdtemp(prefix="soliloquy-"))
    try:
        # Unbuffered, because a buffered stdin that a thread still reads cannot be closed at exit.
        with open(os.dup(0), "rb", buffering=0) as requests:
            Worker(requests, replies, scratch, wanted_device).run()
    except BrokenPipeError:
        # Nobody reads any more, so nobody is left to tell.
        return 0
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


def claim_stdout() -> BinaryIO:
    """The real stdout for messages alone; file descriptor 1 and sys.stdout go to stderr."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return replies


class Worker:
    """Reads requests, runs them one after another, and reports; `scratch` is a private folder for
    requests that name no place for their results."""

    def __init__(self, requests: IO[bytes], replies: BinaryIO, scratch: Path,
                 wanted_device: str) -> None:
        self._requests = requests
        self._replies = replies
        self._scratch = scratch
        self._wanted_device = wanted_device
        self._parent = os.getppid()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._pending: set[str] = set()
        self._cancelled: set[str] = set()
        self._stopping = threading.Event()
        self._sending = threading.Lock()
        self._generator: Generator | None = None

    def run(self) -> None:
        """Greet, then work until the reader says that there is no more."""
        device = self._device()
        self._send(Hello(messages.PROTOCOL, __version__, device.name, device.note, known_packs()))
        for work in (self._read, self._watch_parent):
            threading.Thread(target=work, daemon=True).start()
        while (job := self._jobs.get()) is not None:
            self._answer(job, device)

    def _device(self) -> Device:
        """The device asked for; one that does not start is no reason to be of no use."""
        try:
            return choose_device(self._wanted_device)
        except DeviceError as problem:
            return Device("cpu", f"cpu; {problem}")

    def _answer(self, job: Job, device: Device) -> None:
        """Run one job to its end, well or badly; only a lost reader ends the worker."""
        try:
            self._stop_if_cancelled(job.id)
            self._send(self._done(job, device))
        except SoliloquyError as problem:
            self._send(Failed(job.id, problem.code, problem.message, problem.hint))
        except BrokenPipeError:
            raise
        except MemoryError:
            self._send(Failed(job.id, "out_of_memory", "There is not enough memory for this sound.",
                              "Choose a shorter part."))
        except Exception as problem:
            # A bug of ours must not cost the artist the worker; the log keeps the whole story.
            traceback.print_exc()
            text = f"Unexpected {type(problem).__name__}: {problem}"
            self._send(Failed(job.id, "internal", text, "Please report this with the log."))
        finally:
            self._pending.discard(job.id)
            self._cancelled.discard(job.id)

    def _done(self, job: Job, device: Device) -> Message:
        """Do a job; raises SoliloquyError."""
        report = self._reporter(job.id)
        if isinstance(job, Listen):
            return self._ready(job.pack, device).hear(job, report)
        place = Path(job.out_dir) if job.out_dir else self._scratch / str(time.time_ns())
        paths = take_paths(place / "motion.npz", job.takes)
        return self._ready(job.pack, device).run(job, paths, report)

    def _ready(self, name: str, device: Device) -> Generator:
        """The generator for a pack; the last one is kept while its pack stays as it was."""
        found = pack.load(pack.find(name))
        kept = self._generator
        if kept is None or kept.pack != found:
            self._generator = kept = None  # frees the old graphs before the new ones load
            kept = self._generator = Generator(found, device)
        return kept

    def _reporter(self, job_id: str) -> Callable[[str, int, int], None]:
        """Progress, thinned out so that a long job does not flood the pipe."""
        last_stage, last_time_s = "", 0.0

        def report(stage: str, done: int, total: int) -> None:
            nonlocal last_stage, last_time_s
            self._stop_if_cancelled(job_id)
            now_s = time.monotonic()
            if stage != last_stage or done == total or now_s - last_time_s > _PROGRESS_INTERVAL_S:
                last_stage, last_time_s = stage, now_s
                self._send(Progress(job_id, stage, done, total))

        return report

    def _stop_if_cancelled(self, job_id: str) -> None:
        if self._stopping.is_set() or job_id in self._cancelled:
            raise Cancelled

    def _read(self) -> None:
        """Take requests in until stdin closes; runs in its own thread."""
        try:
            while line := self._requests.readline(_MOST_LINE_BYTES):
                self._understand(line)
        finally:
            self._stop()

    def _understand(self, line: bytes) -> None:
        """Take one line in, or refuse it; only a lost reader ends the reading."""
        try:
            self._take(messages.decode(line.decode("utf-8")))
        except UnicodeDecodeError:
            self._send(Failed("", "bad_message", "The line is not UTF-8."))
        except MessageError as problem:
            name = messages.request_id(line.decode("utf-8"))
            self._send(Failed(name, problem.code, problem.message, problem.hint))
        except BrokenPipeError:
            raise
        except Exception as problem:
            # As with jobs: a bug of ours must not end the worker as if stdin had closed.
            traceback.print_exc()
            name = messages.request_id(line.decode("utf-8", "replace"))
            text = f"Unexpected {type(problem).__name__}: {problem}"
            self._send(Failed(name, "internal", text, "Please report this with the log."))

    def _take(self, message: Message) -> None:
        if isinstance(message, Job):
            self._pending.add(message.id)
            self._jobs.put(message)
        elif isinstance(message, Cancel):
            if message.id in self._pending:
                self._cancelled.add(message.id)
        elif isinstance(message, Shutdown):
            self._stop()
        else:
            kind = type(message).__name__
            raise MessageError("bad_message", f"The worker sends {kind}, it takes none.")

    def _stop(self) -> None:
        """End after the current step; a step that does not end is left behind."""
        self._stopping.set()
        self._jobs.put(None)
        timer = threading.Timer(_GRACE_S, self._abandon)
        timer.daemon = True
        timer.start()

    def _abandon(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        os._exit(0)

    def _watch_parent(self) -> None:
        """Notice a parent that died while something else holds our stdin open."""
        while os.getppid() == self._parent:
            time.sleep(_PARENT_CHECK_S)
        self._stop()

    def _send(self, message: Message) -> None:
        line = messages.encode(message).encode("ascii") + b"\n"
        with self._sending:
            self._replies.write(line)
            self._replies.flush()


def known_packs() -> tuple[messages.PackInfo, ...]:
    """The installed packs as their manifests describe them; a broken one is named on stderr."""
    infos = []
    for path in pack.installed():
        try:
            infos.append(_info(path, pack.read_manifest(path)))
        except SoliloquyError as problem:
            print(problem, file=sys.stderr)
    return tuple(infos)


def _info(path: Path, manifest: pack.Manifest) -> messages.PackInfo:
    return messages.PackInfo(manifest.name, str(path), manifest.method, manifest.topology.name,
                             manifest.topology.vertex_count, manifest.fps, manifest.styles,
                             manifest.emotions)
