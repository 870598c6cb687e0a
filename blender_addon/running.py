"""Operators that run a job: from a button by a timer, from a script to the end.

A subclass starts a job in `start` and uses what came of it in `done`; it never waits.
"""

import time
import traceback
from typing import Any

import bpy

from . import press, session
from ._backend import errors

_TICK_S = 0.05
Result = set[str]
FINISHED: Result = {"FINISHED"}
CANCELLED: Result = {"CANCELLED"}


class Running:
    """The part of such an operator that is always the same."""

    _shown: tuple[str, float] | None = None
    _timer: Any = None
    # Whether `execute` comes from a file browser, so from a person, and not from a script.
    asked = False

    def start(self, context: bpy.types.Context) -> None:
        """Start the job; raises SoliloquyError with nothing left behind."""
        raise NotImplementedError

    def done(self, made: list[Any]) -> Result | None:
        """Use what the job made; the operator's result, or None when another job was started."""
        raise NotImplementedError

    def failed(self, problem: errors.SoliloquyError) -> Result | None:
        """Say in one line what happened; the operator's result, or None to go on."""
        if isinstance(problem, errors.Cancelled):
            session.CURRENT.tell("Cancelled")
            self.say("INFO", "Cancelled")
        else:
            session.CURRENT.tell(problem.message, problem.hint, failed=True)
            self.say("ERROR", str(problem))
        return CANCELLED

    def say(self, kind: str, text: str) -> None:
        """Blender's own report: the status bar, and a popup for errors."""
        self.report({kind}, text)  # type: ignore[attr-defined]

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> Result:
        """From a button: start the job and return; the timer does the rest."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        return self._begin(context)

    def ask_for_file(self, context: bpy.types.Context) -> Result:
        """Let the user choose the file first; Blender then calls `execute`."""
        self.asked = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def _begin(self, context: bpy.types.Context) -> Result:
        if (ended := self._start(context)) is not None:
            return ended
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Move the job on at every tick; Esc cancels it."""
        if event.type == "ESC" and event.value == "PRESS":
            press.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        result = self._tick()
        self._show_news(context)
        if result is None:
            return {"PASS_THROUGH"}
        self._forget_timer(context)
        return result

    def execute(self, context: bpy.types.Context) -> Result:
        """From a script: run to the end. After a file was chosen: as from a button."""
        if self.asked:
            return self._begin(context)
        result = self._start(context)
        while result is None:
            result = self._tick()
            time.sleep(_TICK_S)
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself: another file is opened, or Blender quits."""
        self._forget_timer(context)
        press.abandon()

    def _start(self, context: bpy.types.Context) -> Result | None:
        began = time.perf_counter()
        session.CURRENT.tell("")
        try:
            self.start(context)
        except Exception as problem:
            return self._fail(problem)
        finally:
            session.CURRENT.ticked(time.perf_counter() - began)
        return None

    def _tick(self) -> Result | None:
        """The operator's result once all is done, else None."""
        job, began = session.CURRENT.job, time.perf_counter()
        if job is None:  # the add-on was switched off and on in the middle
            return CANCELLED
        try:
            made = job.tick()
            if made is None:
                return None
            session.CURRENT.end_job()
            return self.done(made)
        except Exception as problem:
            return self._fail(problem)
        finally:
            session.CURRENT.ticked(time.perf_counter() - began)

    def _fail(self, problem: Exception) -> Result | None:
        """Leave no job behind, also when the fault is ours."""
        press.abandon()
        if not isinstance(problem, errors.SoliloquyError):
            traceback.print_exception(problem)
            problem = errors.SoliloquyError("internal", f"Internal error: {problem}.",
                                            "The system console tells more; please report it.")
        return self.failed(problem)

    def _show_news(self, context: bpy.types.Context) -> None:
        """Redraw when there is something new to see: every drawing takes time from the job."""
        job = session.CURRENT.job
        news = (job.label, round(job.fraction, 2)) if job is not None else None
        if news != self._shown:
            self._shown = news
            redraw(context)

    def _forget_timer(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)


def redraw(context: bpy.types.Context) -> None:
    """Show what is new in every panel of ours that is open."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES"}:
                _redraw_panels(area)


def _redraw_panels(area: bpy.types.Area) -> None:
    # Not the whole 3D View: drawing the scene at every tick would slow a weak graphics card down.
    panels = "WINDOW" if area.type == "PREFERENCES" else "UI"
    for region in area.regions:
        if region.type == panels:
            region.tag_redraw()
