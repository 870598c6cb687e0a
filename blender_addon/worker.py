"""The worker process, seen from Blender: start it, send requests, poll replies, end it.

Replies are JSON lines on the child's stdout, read by one thread into one queue; its stderr goes
to a log file, so no pipe can fill up. Knows no Blender. A Worker is one process from start to
end: when it has died, start another.
"""

import importlib.util
import os
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ._backend import errors, messages

_CHILD_LIBRARIES = ("numpy", "onnxruntime", "soundfile", "soxr")
_GOODBYE_S = 1.0


class WorkerError(errors.SoliloquyError):
    """The worker is missing, has died, hangs, or speaks another protocol."""


@dataclass(frozen=True)
class Launch:
    """How to start the worker: argument list, environment, and where its stderr goes."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    log_path: Path


def launch(python: str, folder: Path, device: str = "auto", logs: Path | None = None,
           model_folders: Sequence[Path] = ()) -> Launch:
    """The launch of `python -m backend serve`, which lies beside this package, or inside it once
    installed; `folder` takes its temporary files, which a kill would leave behind, and its log,
    unless there is a folder for `logs`."""
    here = Path(__file__).resolve().parent
    root = here if (here / "backend").is_dir() else here.parent
    environment = dict(os.environ)
    # A Python set up for Blender's own process would mislead another interpreter.
    environment.pop("PYTHONHOME", None)
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(root), *_library_folders()]),
        # Without this, `-m` puts the working folder first, and any `numpy` or `backend` in it wins.
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "SOLILOQUY_MODELS": os.pathsep.join(
            [*map(str, model_folders), environment.get("SOLILOQUY_MODELS", "")]),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)),
    }
    # Several Blenders may run at once, each with a worker of its own.
    log = logs / f"worker-{os.getpid()}.log" if logs else folder / "worker.log"
    return Launch((python, "-m", "backend", "serve", "--device", device), environment, log)


def _library_folders() -> list[str]:
    """Where this Python finds the worker's libraries, without importing them into Blender."""
    specs = (importlib.util.find_spec(name) for name in _CHILD_LIBRARIES)
    origins = [Path(spec.origin) for spec in specs if spec is not None and spec.origin]
    folders = [origin.parent.parent if origin.stem == "__init__" else origin.parent
               for origin in origins]
    return list(dict.fromkeys(map(str, folders)))


class Worker:
    """One worker process; raises WorkerError when it cannot be started."""

    def __init__(self, start: Launch) -> None:
        self._log_path = start.log_path
        self._replies: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._ended = False
        self._last_word = time.monotonic()
        self.hello: messages.Hello | None = None
        self._process = _spawn(start)
        self._reader = threading.Thread(target=self._read, name="soliloquy-worker", daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether the process runs and can be sent requests."""
        return not self._ended and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def silent_s(self) -> float:
        """Seconds since the last reply, or since the last request where that is later."""
        return time.monotonic() - self._last_word

    def send(self, message: messages.Message) -> None:
        """Send one message; raises WorkerError when the worker is gone."""
        try:
            pipe = self._stdin()
            pipe.write(messages.encode(message) + "\n")
            pipe.flush()
        except (OSError, ValueError) as problem:
            raise self._death() from problem
        self._last_word = time.monotonic()

    def poll(self) -> list[messages.Message]:
        """Replies since the last call, without waiting; raises WorkerError once all is read and
        the process is gone."""
        replies: list[messages.Message] = []
        while not self._replies.empty():
            line = self._replies.get()
            if line is None:
                self._ended = True
                break
            replies.append(self._heard(line))
        if not replies and (self._ended or self._process.poll() is not None):
            raise self._death()
        return replies

    def kill(self) -> None:
        """End the process at once; needs no cooperation, works on a stopped or hung worker."""
        self._ended = True
        self._process.kill()
        self._close()

    def stop(self) -> None:
        """Ask the process to end, wait a moment, then kill it."""
        if self.alive:
            try:
                self.send(messages.Shutdown())
                self._stdin().close()
                self._process.wait(_GOODBYE_S)
            except (WorkerError, OSError, subprocess.TimeoutExpired):
                self._process.kill()
        self._ended = True
        self._close()

    def _heard(self, line: str) -> messages.Message:
        self._last_word = time.monotonic()
        reply = messages.decode(line)
        if isinstance(reply, messages.Hello):
            if reply.protocol != messages.PROTOCOL:
                raise WorkerError(
                    "worker_protocol", f"The worker speaks protocol {reply.protocol}, "
                    f"the add-on {messages.PROTOCOL}.", "Reinstall the extension.")
            self.hello = reply
        return reply

    def _read(self) -> None:
        """Reader thread: every line into the queue, None at the end."""
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._replies.put(line)
        except (OSError, ValueError):
            pass  # the pipe was closed under us: that is the end, too
        finally:
            self._replies.put(None)

    def _stdin(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _close(self) -> None:
        """Reap the process and close the pipes, so that nothing is left behind."""
        self._process.wait()
        with suppress(OSError):  # unsent bytes to a dead process
            self._stdin().close()
        self._reader.join(_GOODBYE_S)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()

    def _death(self) -> WorkerError:
        """The error that says how the process ended."""
        try:
            code = self._process.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            return WorkerError("worker_deaf", "The worker has closed its connection.", _PRESS_AGAIN)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return WorkerError("worker_died", f"The worker process {how}{self._last_log_line()}.",
                           f"{_PRESS_AGAIN} Its log: {self._log_path}")

    def _last_log_line(self) -> str:
        """The log's last line in brackets: most often the reason."""
        try:
            lines = self._log_path.read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return f" ({lines[-1].strip()[:200].rstrip('.')})" if lines else ""


_PRESS_AGAIN = "Press the button again: a new one is started."


def _spawn(start: Launch) -> "subprocess.Popen[str]":
    # On Windows a console program would flash a black window; the flag exists only there.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        start.log_path.parent.mkdir(parents=True, exist_ok=True)
        with open(start.log_path, "wb") as log:
            return subprocess.Popen(start.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=log, env=dict(start.environment), encoding="utf-8",
                                    creationflags=flags)
    except OSError as problem:
        raise WorkerError("worker_missing", f"The worker could not be started: {problem}.",
                          "Reinstall the extension.") from problem
