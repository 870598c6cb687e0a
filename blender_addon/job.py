"""One job of the worker, from the request to what came of it, without Blender.

`tick` moves it on and never waits; it is called by a timer, or in a loop when there is no window.
"""

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._backend import errors, messages
from .face import Face
from .worker import Worker, WorkerError

# Where each stage begins on the progress bar; the last is the preparation of the shape keys.
_STAGE_STARTS = {"mix": 0.0, "start": 0.05, "load": 0.08, "listen": 0.1, "imagine": 0.2,
                 "decode": 0.7, "write": 0.85, "keys": 0.9}
_STAGE_WORDS = {"mix": "Mixing the sound", "start": "Starting the worker",
                "load": "Loading the model", "listen": "Listening",
                "imagine": "Imagining the performance", "decode": "Moving the face",
                "write": "Saving the motion", "keys": "Making shape keys"}
# Each step does a part of the work and yields the share done, 0..1.
Mixing = Generator[float, None, None]
CANCEL_GRACE_S = 2.0
_NOTABLE_SILENCE_S = 5


@dataclass(frozen=True)
class Sound:
    """A part of a sound file, in file seconds (None: to its end), its speed and volume."""

    path: str
    start_s: float = 0.0
    duration_s: float | None = None
    speed: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True)
class Request:
    """What to make: sound, pack's path, seed of the first take; None asks for the pack's own."""

    sound: Sound
    pack_path: str
    seed: int = 0
    steps: int | None = None
    style: str | None = None
    takes: int = 1
    redo: messages.Redo | None = None
    emotions: tuple[messages.EmotionSpan, ...] = ()
    neutral: bool = False


class WorkerJob(ABC):
    """A running job: a subclass says what the worker is asked, and what is made of its answer in a
    thread of the job's own, for that may take too long for Blender's.

    Where the sound is still to be mixed, each tick takes one step of `mixing` before the worker is
    asked. The private `folder` takes the job's files and is removed with it; its name is the job's
    id."""

    def __init__(self, worker: Worker, folder: Path, silence_limit_s: float = 60.0,
                 mixing: Mixing | None = None) -> None:
        self._worker = worker
        self._silence_limit_s = silence_limit_s
        self._cancelled_at: float | None = None
        self._made: Future[list[Any]] | None = None
        self._threads = ThreadPoolExecutor(1, "soliloquy-job")
        self._folder = folder
        self.id = folder.name
        self.stage = "start"
        self._stage_share = 0.0
        self._mixing, self._asked = mixing, False
        self._ask_when_mixed()

    @abstractmethod
    def message(self) -> messages.Message:
        """What the worker is asked."""

    @abstractmethod
    def answered(self, reply: messages.Message) -> Callable[[], list[Any]] | None:
        """What to make of a reply that ends the job; None for any other reply."""

    @property
    def fraction(self) -> float:
        """Progress over all stages, 0..1."""
        starts = [*_STAGE_STARTS.values(), 1.0]
        place = list(_STAGE_STARTS).index(self.stage)
        return starts[place] + (starts[place + 1] - starts[place]) * self._stage_share

    @property
    def label(self) -> str:
        """What is going on, in words for the progress bar."""
        if self._cancelled_at is not None:
            return "Cancelling"
        waiting_s = int(self._worker.silent_s) if self._asked and self._made is None else 0
        silence = f" (no word for {waiting_s} s)" if waiting_s >= _NOTABLE_SILENCE_S else ""
        return _STAGE_WORDS[self.stage] + silence

    def tick(self) -> list[Any] | None:
        """What was made, or None while it is not done; raises SoliloquyError when the job fails,
        and Cancelled once a cancelled job has stopped."""
        if self._made is not None:
            return self._finished(self._made)
        if not self._asked:
            self._ask_when_mixed()
            return None
        for reply in self._worker.poll():
            self._take_in(reply)
        self._watch_the_clock()
        return None

    def cancel(self) -> None:
        """Ask the worker to stop; it has CANCEL_GRACE_S to answer before it is killed."""
        if self._cancelled_at is not None:
            return
        self._cancelled_at = time.monotonic()
        if self._asked and self._made is None and self._worker.alive:
            with suppress(WorkerError):  # it has just died, and the next tick says so
                self._worker.send(messages.Cancel(self.id))

    def close(self) -> None:
        """Remove the job's files; call it however the job ended."""
        if self._mixing is not None:
            self._mixing.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ask_when_mixed(self) -> None:
        if self._cancelled_at is not None:
            raise errors.Cancelled
        share = next(self._mixing, None) if self._mixing else None
        if share is not None:
            self.stage, self._stage_share = "mix", share
            return
        self.stage, self._stage_share, self._asked = "start", 0.0, True
        self._worker.send(self.message())

    def _take_in(self, reply: messages.Message) -> None:
        # Replies to an earlier, abandoned job may still arrive: they bear another id.
        if isinstance(reply, messages.Progress) and reply.id == self.id:
            self.stage = reply.stage
            self._stage_share = min(1.0, reply.done / max(1, reply.total))
        elif isinstance(reply, messages.Failed) and reply.id in (self.id, ""):
            if reply.code == "cancelled":
                raise errors.Cancelled
            raise errors.SoliloquyError(reply.code, reply.message, reply.hint)
        elif (isinstance(reply, messages.Done | messages.Heard) and reply.id == self.id
              and (make := self.answered(reply)) is not None):
            self._made = self._threads.submit(make)

    def _finished(self, made: "Future[list[Any]]") -> list[Any] | None:
        if self._cancelled_at is not None:
            raise errors.Cancelled
        return made.result() if made.done() else None

    def _watch_the_clock(self) -> None:
        """Kill a worker that neither answers nor obeys."""
        if (self._cancelled_at is not None
                and time.monotonic() - self._cancelled_at > CANCEL_GRACE_S):
            self._worker.kill()
            raise errors.Cancelled
        if self._worker.silent_s > self._silence_limit_s:
            self._worker.kill()
            raise WorkerError(
                "worker_hung", f"The worker gave no sign of life for {self._silence_limit_s:g} s "
                "and was stopped.", "Press the button again: a new one is started.")


class Job(WorkerJob):
    """A press of the button. While the worker listens, `match` finds out how the model fits the
    face; then `prepare` makes of the motion files what the job gives, such as takes."""

    def __init__(self, worker: Worker, request: Request, match: Callable[[], Face],
                 prepare: Callable[[list[Path], Face], list[Any]], folder: Path,
                 silence_limit_s: float = 60.0, mixing: Mixing | None = None) -> None:
        self._request, self._prepare = request, prepare
        super().__init__(worker, folder, silence_limit_s, mixing)
        self._face = self._threads.submit(match)

    def message(self) -> messages.Message:
        """To generate what is requested."""
        request, sound = self._request, self._request.sound
        return messages.Generate(
            id=self.id, audio=sound.path, pack=request.pack_path, out_dir=str(self._folder),
            seed=request.seed, steps=request.steps, style=request.style, takes=request.takes,
            start_s=sound.start_s, duration_s=sound.duration_s, speed=sound.speed,
            volume=sound.volume, redo=request.redo, emotions=request.emotions,
            neutral=request.neutral)

    def answered(self, reply: messages.Message) -> Callable[[], list[Any]] | None:
        """Prepare the motion files."""
        if not isinstance(reply, messages.Done):
            return None
        self.stage, self._stage_share = "keys", 0.0
        paths = [Path(path) for path in reply.paths]
        return lambda: self._prepare(paths, self._face.result())

    def tick(self) -> list[Any] | None:
        """As `WorkerJob.tick`; a face that does not fit ends the job at once."""
        if self._made is None and self._face.done():
            self._face.result()
        return super().tick()


class Listening(WorkerJob):
    """What emotions a model hears in a sound: the job gives the spans of a lane."""

    def __init__(self, worker: Worker, sound: Sound, pack_path: str, folder: Path,
                 silence_limit_s: float = 60.0, mixing: Mixing | None = None) -> None:
        self._sound, self._pack_path = sound, pack_path
        super().__init__(worker, folder, silence_limit_s, mixing)

    def message(self) -> messages.Message:
        """To listen."""
        sound = self._sound
        return messages.Listen(self.id, sound.path, self._pack_path, sound.start_s,
                               sound.duration_s, sound.speed, sound.volume)

    def answered(self, reply: messages.Message) -> Callable[[], list[Any]] | None:
        """The spans as they are."""
        return (lambda: list(reply.emotions)) if isinstance(reply, messages.Heard) else None
