"""The worker as this machine's preferences want it, and what it leaves behind to look at."""

from contextlib import suppress
from pathlib import Path

import bpy

from . import blender_compat, models, preferences, process_memory, session, user_files
from .words import translated
from .worker import Worker, launch

_KEPT_LOGS = 5
_SHOWN_LINES = 8
_LINE_LETTERS = 90


def ready(context: bpy.types.Context) -> Worker:
    """The warm worker, or a new one; raises WorkerError when it cannot be started."""
    machine, current = preferences.machine(context), session.CURRENT
    logs = log_folder()
    if current.worker is None or not current.worker.alive:
        _remove_old_logs(logs)
    return current.warm_worker(launch(blender_compat.python_executable(), current.folder,
                                      machine.device, logs, models.folders(context)))


def status() -> list[str]:
    """The worker in words, measured now: device with the reason, memory."""
    worker = session.CURRENT.worker
    if worker is None or not worker.alive:
        return ["The worker starts with the first press"]
    hello, memory = worker.hello, process_memory.of(worker.pid)
    lines = [] if hello is None else [
        translated("Worker {version} on {device}", version=hello.version, device=hello.device_note)]
    if memory is not None:
        lines.append(translated("The worker holds {now:.0f} MB of memory", now=memory.now_mb))
    if memory is not None and memory.peak_mb is not None:
        lines[-1] += translated(", {peak:.0f} MB at the peak", peak=memory.peak_mb)
    return lines


def last_log_lines() -> list[str]:
    """The end of the newest log."""
    newest = next(iter(_logs(user_files.folder("logs"))), None)
    if newest is None:
        return []
    text = newest.read_text("utf-8", "replace").splitlines()
    return [line[:_LINE_LETTERS] for line in text[-_SHOWN_LINES:]]


def log_folder() -> Path:
    """Where logs lie; made if it is not there."""
    return user_files.folder("logs", create=True)


def _logs(folder: Path) -> list[Path]:
    """All logs, the newest first."""
    return sorted(folder.glob("worker-*.log"), key=lambda path: -path.stat().st_mtime)


def _remove_old_logs(folder: Path) -> None:
    for path in _logs(folder)[_KEPT_LOGS - 1:]:
        with suppress(OSError):  # another Blender's worker may still write it
            path.unlink()
