"""The self-test: one second of built-in sound through the whole of a model, and what was seen."""

import math
import struct
import time
import wave
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import disabled_reason, models, press, session, workplace
from ._backend import motion
from .face import Face
from .job import Job, Request, Sound
from .running import FINISHED, Result, Running
from .words import translated

MODEL = "gldi-flame"
_RATE_HZ = 16000
_HUM_HZ = 150.0
_NO_FACE = Face(np.eye(3), 0)


def write_hum(path: Path) -> None:
    """One second of a tone that swells and fades, 16 bit mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(b"".join(struct.pack("<h", _sample(n)) for n in range(_RATE_HZ)))


def _sample(number: int) -> int:
    time_s = number / _RATE_HZ
    swell = math.sin(math.pi * time_s)
    return int(12000 * swell * math.sin(2 * math.pi * _HUM_HZ * time_s))


class SOLILOQUY_OT_self_test(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Try the worker and a model on a second of built-in sound, and tell how long it took and how
    much memory; no scene is touched"""

    bl_idname = "soliloquy.self_test"
    bl_label = "Self-Test"

    model: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Model", default=MODEL, description="The model to try, by name or path")

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        """One job at a time."""
        return disabled_reason.for_job()

    def start(self, context: bpy.types.Context) -> None:
        """Send a request as a press would."""
        current = session.CURRENT
        chosen = models.opened(context, self.model)
        with press.job_folder() as folder:
            write_hum(folder / "hum.wav")
            self._began_s = time.monotonic()
            request = Request(Sound(str(folder / "hum.wav")), str(chosen.path))
            current.job = Job(workplace.ready(context), request, lambda: _NO_FACE, _shapes, folder)

    def done(self, made: list[Any]) -> Result:
        """Keep the report for the preferences."""
        seconds = time.monotonic() - self._began_s
        frames, vertices = made[0]
        works = translated(
            "{model}: works, {frames} frames of {vertices:,} vertices from 1 s of sound in "
            "{seconds:.1f} s", model=self.model, frames=frames, vertices=vertices, seconds=seconds)
        lines = [works, *workplace.status()]
        session.CURRENT.report = lines
        session.CURRENT.tell("The self-test passed", lines[0])
        self.say("INFO", lines[0])
        return FINISHED


def _shapes(paths: list[Path], _face: object) -> list[tuple[int, int]]:
    """How many frames and vertices each motion has; raises MotionError on one that is none."""
    moved = (motion.load(path).displacements.shape for path in paths)
    return [(shape[0], shape[1]) for shape in moved]


class SOLILOQUY_OT_look_at_worker(bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Measure the worker's memory and read the end of its log"""

    bl_idname = "soliloquy.look_at_worker"
    bl_label = "Refresh"

    def execute(self, context: bpy.types.Context) -> Result:
        """Keep what was found for the drawing."""
        models.forget()
        session.CURRENT.report = [*workplace.status(), *workplace.last_log_lines()]
        return FINISHED


class SOLILOQUY_OT_open_logs(bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Show the folder with the worker's logs in the system's file browser"""

    bl_idname = "soliloquy.open_logs"
    bl_label = "Open Log Folder"

    def execute(self, _context: bpy.types.Context) -> Result:
        """As Blender opens any folder."""
        bpy.ops.wm.path_open(filepath=str(workplace.log_folder()))
        return FINISHED


CLASSES = (SOLILOQUY_OT_self_test, SOLILOQUY_OT_look_at_worker, SOLILOQUY_OT_open_logs)
