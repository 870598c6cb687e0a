"""The buttons: Animate from Audio, and Cancel."""

import time
import traceback

import bpy

from . import disabled_reason, press, session, writing
from ._backend import errors
from .takes import Take

_TICK_S = 0.05
_Result = set[str]


class SOLILOQUY_OT_animate_from_audio(bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Make the face speak the chosen sound, as shape keys and a new Action"""

    bl_idname = "soliloquy.animate_from_audio"
    bl_label = "Animate from Audio"
    bl_options = {"UNDO"}  # noqa: RUF012  Blender asks for a plain set

    _shown: tuple[str, float] | None = None

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """Why the panel's settings cannot be animated, or ''."""
        return disabled_reason.for_animating(context)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey, with the reason in the tooltip."""
        return disabled_reason.poll(cls, context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> _Result:
        """From a button: start the job and return; the timer does the rest."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> _Result:
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

    def execute(self, context: bpy.types.Context) -> _Result:
        """From a script: run to the end."""
        if not self._begin(context):
            return {"CANCELLED"}
        while (result := self._tick()) is None:
            time.sleep(_TICK_S)
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator itself: another file is opened, or Blender quits."""
        self._forget_timer(context)
        press.abandon()

    def _begin(self, context: bpy.types.Context) -> bool:
        session.CURRENT.tell("")
        try:
            self._where = press.begin(context)
        except Exception as problem:
            self._fail(problem)
            return False
        return True

    def _tick(self) -> _Result | None:
        """The operator's result once the job has ended, else None."""
        job = session.CURRENT.job
        if job is None:  # the add-on was switched off and on in the middle
            return {"CANCELLED"}
        try:
            made = job.tick()
            if made is None:
                return None
            session.CURRENT.end_job()
            writing.write_all(made, self._where)
        except Exception as problem:
            self._fail(problem)
            return {"CANCELLED"}
        self._succeed(made)
        return {"FINISHED"}

    def _succeed(self, made: list[Take]) -> None:
        keys, worst_mm = len(made[0].shapes), max(take.error_m for take in made) * 1000
        text = f"{self._where.face} speaks: {keys} shape keys, within {worst_mm:.2f} mm"
        face = bpy.data.objects[self._where.face]
        pinned = "It is hidden while a shape key is pinned." if face.show_only_shape_key else ""
        session.CURRENT.tell(text, pinned)
        self.report({"INFO"}, text)

    def _fail(self, problem: Exception) -> None:
        """Leave no job behind and say in one line what happened, also when the fault is ours."""
        press.abandon()
        if not isinstance(problem, errors.SoliloquyError):
            traceback.print_exception(problem)
            problem = errors.SoliloquyError("internal", f"Internal error: {problem}.",
                                            "The system console tells more; please report it.")
        if isinstance(problem, errors.Cancelled):
            session.CURRENT.tell("Cancelled")
            self.report({"INFO"}, "Cancelled")
            return
        session.CURRENT.tell(problem.message, problem.hint, failed=True)
        self.report({"ERROR"}, str(problem))

    def _show_news(self, context: bpy.types.Context) -> None:
        """Redraw when there is something new to see: every drawing takes time from the job."""
        job = session.CURRENT.job
        news = (job.label, round(job.fraction, 2)) if job is not None else None
        if news != self._shown:
            self._shown = news
            _redraw(context)

    def _forget_timer(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)


class SOLILOQUY_OT_cancel(bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Stop the running job; the scene stays as it is"""

    bl_idname = "soliloquy.cancel"
    bl_label = "Cancel"

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        """There must be something to cancel."""
        return "" if session.CURRENT.busy else "Soliloquy is not at work"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Grey when nothing runs."""
        return disabled_reason.poll(cls, context)

    def execute(self, _context: bpy.types.Context) -> _Result:
        """The running operator's next ticks see it through."""
        press.cancel()
        return {"FINISHED"}


def _redraw(context: bpy.types.Context) -> None:
    """Show progress in every panel of ours that is open."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "SEQUENCE_EDITOR"}:
                _redraw_sidebar(area)


def _redraw_sidebar(area: bpy.types.Area) -> None:
    # Not the whole area: drawing the scene at every tick would slow a weak graphics card down.
    for region in area.regions:
        if region.type == "UI":
            region.tag_redraw()
