"""The button that paints what is heard: the voice's own emotions as ranges that can be changed."""

import math
from itertools import pairwise

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
    strips,
    timeline,
)
from ._backend import errors, messages
from .emotion_ranges import Range
from .running import FINISHED, Result, Running
from .words import translated

_ROUNDING_FRAMES = 1e-4
_MOST_TOLD = 6


class SOLILOQUY_OT_paint_heard(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Paint the emotions that the model hears in the voice over the sound, as ranges to change or
    remove. What was painted there for everybody gives way, what was for one face stays"""

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
        self._placed = press.begin_listening(context, models.opened(context, model))
        scene = blender_compat.sequencer_scene(context)
        self._scene, self._fps = scene.name, audio_source.scene_fps(context.scene)
        self._by_ranges = not strips.selected(context) and any(
            strip.select for strip in emotion_strips.of_scene(scene))

    def done(self, made: list[messages.EmotionSpan]) -> Result:
        """Paint it and say so."""
        scene = bpy.data.scenes.get(self._scene)
        if scene is None:
            raise errors.RequestError("scene_gone", f"'{self._scene}' was renamed or deleted "
                                      "meanwhile.", "Press again.")
        lane = ranges(made, self._placed, self._fps, audio_source.scene_fps(scene))
        painted = emotion_strips.paint_lane(scene, lane, None)
        if self._by_ranges:  # they are what says which sound is spoken
            for strip in painted:
                strip.select = True
        text = translated("Heard: {emotions}", emotions=_in_words(made))
        session.CURRENT.tell(text, "Change what is wrong, then press Animate from Audio.")
        self.say("INFO", text)
        return FINISHED


def ranges(made: list[messages.EmotionSpan], placed: audio_source.PlacedSound, face_fps: float,
           fps: float) -> list[Range]:
    """A lane without gaps as ranges in whole frames of the sequencer's scene; they cover the sound,
    and do not reach beyond what is known of its end. A span without a whole frame has none."""
    times_s = [made[0].start_s or 0.0, *(span.end_s or 0.0 for span in made)]
    frames = [timeline.frame_in_scene(placed.first_frame + time_s * face_fps, face_fps, fps)
              for time_s in times_s]
    known_end = timeline.frame_in_scene(placed.after_frame, face_fps, fps) - 1
    last = math.ceil(min(frames[-1], known_end) - _ROUNDING_FRAMES)
    edges = [math.floor(frames[0] + _ROUNDING_FRAMES), *map(round, frames[1:-1]), last]
    return [Range(span.name, span.intensity, first, after)
            for span, (first, after) in zip(made, pairwise(edges), strict=True) if first < after]


def _in_words(made: list[messages.EmotionSpan]) -> str:
    """The first few spans."""
    told = [f"{span.name} {span.intensity:.0%}" for span in made[:_MOST_TOLD]]
    return ", ".join([*told, "..."] if len(made) > _MOST_TOLD else told)


CLASSES = (SOLILOQUY_OT_paint_heard,)
