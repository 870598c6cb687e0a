"""Work beside Blender that needs no worker process, polled as a job is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ._backend import errors


class Task:
    """A function in a thread; what it returns comes as a list of one. It cannot be interrupted:
    once cancelled its result is dropped, and `undo` takes it back."""

    fraction = 0.5

    def __init__(self, label: str, work: Callable[[], Any],
                 undo: Callable[[Any], None] = lambda _result: None) -> None:
        self.label = label
        self._undo = undo
        self._cancelled = False
        self._threads = ThreadPoolExecutor(1, "soliloquy-task")
        self._result = self._threads.submit(work)

    def tick(self) -> list[Any] | None:
        """The result, or None while it is not done; raises what the function raised."""
        if not self._result.done():
            return None
        result = self._result.result()
        if self._cancelled:
            self._undo(result)
            raise errors.Cancelled
        return [result]

    def cancel(self) -> None:
        """Drop the result as soon as it is there."""
        self._cancelled, self.label = True, "Cancelling"

    def close(self) -> None:
        """Let the thread go."""
        self._threads.shutdown(wait=False)
