"""An export in a Blender of its own, polled as a job is: ours stays free, and what is changed
meanwhile does not get into the file."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import bpy

from .. import session
from .._backend import errors
from . import child, formats, whole_file

_TAIL_BYTES = 4000


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
                 "render": {name: getattr(scene.render, name) for name in child.SCENE}}
        self._log = folder / "export.log"
        self._process = _spawn(command(child.expression(), json.dumps(order)), self._log)

    @property
    def fraction(self) -> float:
        """The share of the frames that were posed, 0..1."""
        frames = [int(frame) for frame in re.findall(rf"{child.FRAME}(-?\d+)", self._tail())]
        # The last may be the scene's current frame, which comes back at the end.
        done = max(frames, default=self._first) - self._first
        return min(1.0, max(0.0, done / (self._last - self._first + 1)))

    def tick(self) -> list[Any] | None:
        """The path once the file is there; raises SoliloquyError where it could not be written."""
        code = self._process.poll()
        if self._cancelled:
            raise errors.Cancelled
        if code is None:
            return None
        said = self._tail()
        if child.DONE in said:
            return [self._path]
        if child.UNLIKE in said:
            raise errors.RequestError("export_unlike", "The face moves otherwise elsewhere.")
        problem = re.findall(rf"{child.PROBLEM}(.+)", said) or [f"Blender ended with code {code}."]
        raise errors.RequestError("export_failed",
                                  f"'{self._path}' could not be written: {problem[-1]}")

    def cancel(self) -> None:
        """Stop it at once."""
        self._cancelled = True

    def close(self) -> None:
        """Leave no process and no half file."""
        self._process.kill()
        self._process.wait()
        whole_file.unfinished(self._path, self._process.pid).unlink(missing_ok=True)

    def _tail(self) -> str:
        with open(self._log, "rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace")


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
