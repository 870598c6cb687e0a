"""The button that paints what is heard: the voice's own emotions as ranges that can be changed."""

import math

import bpy

from . import (
    audio_source,
    blender_compat,
    disabled_reason,
    emotion_operators,
    emotion_strips,
    models,
    press,
    properties,
    session,
    timeline,
)
from ._backend import errors, messages
from .emotion_ranges import Range
from .running import FINISHED, Result, Running
from .words import translated


class SOLILOQUY_OT_paint_heard(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Paint the emotions that the model hears in the voice over the sound, as ranges to change or
    remove. What was painted there for everybody gives way"""

    bl_idname = "soliloquy.paint_heard"
    bl_label = "Paint What Is Heard"
    bl_options = {"UNDO"}  # noqa: RUF012  Blender asks for a plain set

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be a sound, and a model that hears emotions."""
        return (disabled_reason.for_job() or emotion_operators.why_no_emotions(context)
                or disabled_reason.for_sound(context))

    def start(self, context: bpy.types.Context) -> None:
        """Let the model listen to the panel's sound."""
        face = properties.chosen_face(context)
        model = properties.performance_of(face, context.scene).model.strip()
        placed = press.begin_listening(context, models.opened(context, model))
        self._scene = blender_compat.sequencer_scene(context).name
        self._first_frame = placed.first_frame
        self._fps = audio_source.scene_fps(context.scene)

    def done(self, made: list[messages.EmotionSpan]) -> Result:
        """Paint it and say so."""
        scene = bpy.data.scenes.get(self._scene)
        if scene is None:
            raise errors.RequestError("scene_gone", f"'{self._scene}' was renamed or deleted "
                                      "meanwhile.", "Press again.")
        for span in made:
            emotion_strips.paint(scene, self._range(span, audio_source.scene_fps(scene)), None)
        heard = ", ".join(f"{span.name} {span.intensity:.0%}" for span in made)
        text = translated("Heard: {emotions}", emotions=heard)
        session.CURRENT.tell(text, "Change what is wrong, then press Animate from Audio.")
        self.say("INFO", text)
        return FINISHED

    def _range(self, span: messages.EmotionSpan, fps: float) -> Range:
        """A span in frames of the sequencer's scene; the last one is not to end before the sound.
        """
        first, after = (timeline.frame_in_scene(self._first_frame + (second or 0.0) * self._fps,
                                                self._fps, fps)
                        for second in (span.start_s, span.end_s))
        return Range(span.name, span.intensity, math.floor(first), math.ceil(after))


CLASSES = (SOLILOQUY_OT_paint_heard,)
