"""The buttons: Animate from Audio, and Cancel."""

import bpy

from . import disabled_reason, press, session, writing
from .running import FINISHED, Result, Running
from .takes import Take
from .words import translated


class SOLILOQUY_OT_animate_from_audio(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Make the face speak the chosen sound, as shape keys and a new Action"""

    bl_idname = "soliloquy.animate_from_audio"
    bl_label = "Animate from Audio"
    bl_options = {"UNDO"}  # noqa: RUF012  Blender asks for a plain set

    emotions: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Emotions", options={"SKIP_SAVE"},
        description="Instead of the painted ranges: NAME[:0..1.5][@START-END] in seconds of the "
                    "sound, such as 'happy:0.8@1.2-3.4; sad@3.4-5'")

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """Why the panel's settings cannot be animated, or ''."""
        return disabled_reason.for_animating(context)

    def start(self, context: bpy.types.Context) -> None:
        """Begin what the panel describes."""
        self._where = press.begin(context, self.emotions)

    def done(self, made: list[Take]) -> Result:
        """Write the takes and say so."""
        writing.write_all(made, self._where)
        self._succeed(made)
        return FINISHED

    def _succeed(self, made: list[Take]) -> None:
        worst_mm = max(take.error_m for take in made) * 1000
        text = translated("{face} speaks: {what}, within {worst:.2f} mm", face=self._where.face,
                          what=made[0].described, worst=worst_mm)
        face = bpy.data.objects[self._where.face]
        pinned = "It is hidden while a shape key is pinned." if face.show_only_shape_key else ""
        session.CURRENT.tell(text, pinned)
        self.say("INFO", text)


class SOLILOQUY_OT_cancel(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Stop the running job; the scene stays as it is"""

    bl_idname = "soliloquy.cancel"
    bl_label = "Cancel"

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        """There must be something to cancel."""
        return "" if session.CURRENT.busy else "Soliloquy is not at work"

    def execute(self, _context: bpy.types.Context) -> Result:
        """The running operator's next ticks see it through."""
        press.cancel()
        return FINISHED
