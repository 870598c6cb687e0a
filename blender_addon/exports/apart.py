"""An export in a Blender of its own, polled as a job is: ours stays free, and what is changed
meanwhile does not get into the file."""

import json
import math
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

from .. import session
from .._backend import errors
from . import child, formats, whole_file

_GRACE_S = 2.0


class Export:
    """A face on its way into a file; raises SoliloquyError when no Blender can be started.

    The face goes there with all that it hangs on, and with what of its scene shapes it."""

    label = "Exporting"

    def __init__(self, face: bpy.types.Object, scene: bpy.types.Scene, kind: str,
                 path: Path) -> None:
        self._path, self._cancelled = path, False
        self._first, self._last = formats.frame_range(face)
        folder = session.CURRENT.new_job_folder()
        bpy.data.libraries.write(str(folder / "face.blend"), {face}, path_remap="ABSOLUTE")
        order = {"blend": str(folder / "face.blend"), "face": face.name, "kind": kind,
                 "path": str(path), "scene": scene.name,
                 "progress": str(folder / "progress"), "verdict": str(folder / "verdict"),
                 "render": {name: getattr(scene.render, name) for name in child.SCENE},
                 "scale_length": scene.unit_settings.scale_length}
        self._progress, self._verdict = Path(order["progress"]), Path(order["verdict"])
        self._done, self._waited_since_s = 0.0, math.inf
        self._process = _spawn(command(child.expression(), json.dumps(order)),
                               folder / "export.log")

    @property
    def fraction(self) -> float:
        """The share of the frames that were posed, 0..1."""
        if self._progress.exists():
            frame = int(self._progress.read_text("ascii") or self._first)
            done = (frame - self._first) / (self._last - self._first + 1)
            # The scene's current frame comes back at the end, and the first comes twice.
            self._done = max(self._done, min(1.0, done))
        return self._done

    def tick(self) -> list[Any] | None:
        """The path once the file is there; raises SoliloquyError where it could not be written."""
        code = self._process.poll()
        if self._cancelled:
            raise errors.Cancelled
        if code is None and not self._lingers():
            return None
        verdict = (self._verdict.read_text("utf-8") if self._verdict.exists()
                   else f"Blender ended with code {code}.")
        if verdict == child.DONE:
            return [self._path]
        if verdict == child.UNLIKE:
            raise errors.RequestError("export_unlike", "The face moves otherwise elsewhere.")
        raise errors.RequestError("export_failed",
                                  f"'{self._path}' could not be written: {verdict}")

    def _lingers(self) -> bool:
        """Whether its work is done but it does not end, or would crash at its end: a Blender's
        last moments decide nothing."""
        if not self._verdict.exists():
            return False
        self._waited_since_s = min(self._waited_since_s, time.monotonic())
        return time.monotonic() - self._waited_since_s > _GRACE_S

    def cancel(self) -> None:
        """Stop it at once."""
        self._cancelled = True

    def close(self) -> None:
        """Leave no process and no half file."""
        self._process.kill()
        self._process.wait()
        with suppress(OSError):  # the place may refuse that as it refused the file
            whole_file.unfinished(self._path, self._process.pid).unlink(missing_ok=True)


def command(expression: str, argument: str) -> list[str]:
    """How to run an expression in a Blender like this one, but for preferences and add-ons; what
    this one was trusted with, that one is."""
    trust = "--disable-autoexec" if bpy.app.autoexec_fail else "--enable-autoexec"
    return [bpy.app.binary_path, "--background", "--factory-startup", trust,
            "--python-expr", expression, "--", argument]


def _spawn(arguments: list[str], log: Path) -> "subprocess.Popen[bytes]":
    # On Windows a console program would flash a black window; the flag exists only there.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        with open(log, "wb") as file:
            return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=file,
                                    stderr=subprocess.STDOUT, creationflags=flags)
    except OSError as problem:
        raise errors.RequestError("export_failed", f"No second Blender starts: {problem}.",
                                  "Export from a script.") from problem
