"""This Blender session's worker, running job and last result: plain data that panels may read.

Nothing here lives in the .blend, so a file saved in the middle of a job opens clean."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .worker import Launch, Worker

_JOB_PREFIX = "job-"


class Work(Protocol):
    """What a timer can move on: a job of the worker, or a task in a thread."""

    @property
    def label(self) -> str:
        """What is going on, in words."""

    @property
    def fraction(self) -> float:
        """How much of it is done, 0..1."""

    def tick(self) -> list[Any] | None:
        """What was made, or None while it is not done."""

    def cancel(self) -> None:
        """Ask it to stop."""

    def close(self) -> None:
        """Remove what it needed."""


@dataclass
class Session:
    """The one worker, the one job, and what to tell the user about the last one."""

    worker: Worker | None = None
    job: Work | None = None
    message: str = ""
    hint: str = ""
    failed: bool = False
    longest_tick_s: float = 0.0
    queue: str = ""
    report: list[str] = field(default_factory=list)
    _folder: Path | None = None

    @property
    def folder(self) -> Path:
        """A private folder for this session's temporary files, made on first use, and again if a
        system that tidies up removed it."""
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix="soliloquy-"))
        return self._folder

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self.job is not None

    def warm_worker(self, start: Launch) -> Worker:
        """The living worker, or a new one; raises WorkerError when it cannot be started."""
        if self.worker is None or not self.worker.alive:
            self.end_worker()
            self.worker = Worker(start)
        return self.worker

    def end_worker(self) -> None:
        """Let the worker go, if there is one."""
        if self.worker is not None:
            self.worker.stop()
            self.worker = None

    def end_idle_worker(self) -> None:
        """The next press starts a new one; a running job keeps its own."""
        if self.job is None:
            self.end_worker()

    def new_job_folder(self) -> Path:
        """A private folder for one job."""
        return Path(tempfile.mkdtemp(prefix=_JOB_PREFIX, dir=self.folder))

    def end_job(self) -> None:
        """Forget the job and remove its files, and what the worker may have written for an earlier
        one after that was abandoned."""
        job, self.job = self.job, None
        if job is not None:
            job.close()
        if self._folder is not None:
            for left in self._folder.glob(f"{_JOB_PREFIX}*"):
                shutil.rmtree(left, ignore_errors=True)

    def tell(self, message: str, hint: str = "", failed: bool = False) -> None:
        """What the panel shows until the next press."""
        self.message, self.hint, self.failed = message, hint, failed

    def ticked(self, seconds: float) -> None:
        """A job's tick kept Blender for so long."""
        self.longest_tick_s = max(self.longest_tick_s, seconds)

    def end(self) -> None:
        """Leave nothing behind: no process, no temporary file."""
        if self.job is not None and self.worker is not None:
            self.worker.kill()
        self.end_job()
        self.end_worker()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


CURRENT = Session()
# Blender may quit in the middle of a job without unregistering its extensions.
atexit.register(CURRENT.end)
