"""Buttons for painted emotions: add, change, remove, clear."""

import math
from typing import Any

import bpy

from . import (
    audio_source,
    blender_compat,
    disabled_reason,
    emotion_strips,
    properties,
    timeline,
)
from ._backend import emotions, errors
from .emotion_ranges import Range
from .words import translated

_Result = set[str]
_FINISHED: _Result = {"FINISHED"}
_CANCELLED: _Result = {"CANCELLED"}
# How long a new range is where no sound says it.
_USUAL_S = 2.0
_ROUNDING_FRAMES = 1e-4


class _OnEmotions(disabled_reason.Greyed):
    """What these operators have in common."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender asks for a plain set

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be a range."""
        scene = blender_compat.sequencer_scene(context)
        return "" if emotion_strips.of_scene(scene) else "No emotion is painted yet"

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> _Result:
        """From a menu or the search: ask what is not said."""
        if getattr(self, "emotion", "unasked"):
            return self.execute(context)
        answer: _Result = context.window_manager.invoke_props_dialog(self)
        return answer

    def execute(self, context: bpy.types.Context) -> _Result:
        """Do it, at once."""
        raise NotImplementedError

    def knows(self, context: bpy.types.Context, name: str) -> bool:
        """Whether the model knows an emotion; a report says so where it does not."""
        known = emotion_strips.known(context)
        if name not in known:
            self.report({"ERROR"}, unknown(name, known))  # type: ignore[attr-defined]
        return name in known


def _emotion(description: str) -> Any:
    return bpy.props.StringProperty(
        name="Emotion", search=emotion_strips.names, search_options={"SUGGESTION"},
        options={"SKIP_SAVE"}, description=description)


def _intensity() -> Any:
    return bpy.props.FloatProperty(
        name="Intensity", default=1.0, min=0.0, max=emotions.MOST_INTENSITY, step=5,
        options={"SKIP_SAVE"},
        description="0 is neutral, 1 as strong as it was learnt, more exaggerates")


class SOLILOQUY_OT_add_emotion(_OnEmotions, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Paint an emotion over the sound: over the preview range, or from the playhead to the next
    range or the end of the sound; over the whole sound where the playhead is outside of it"""

    bl_idname = "soliloquy.add_emotion"
    bl_label = "Add Emotion Range"

    emotion: _emotion("What is felt in the range")  # type: ignore[valid-type]
    intensity: _intensity()  # type: ignore[valid-type]
    fade_s: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Cross-Fade", default=emotions.FADE_S, min=0.0, max=10.0, subtype="TIME_ABSOLUTE",
        options={"SKIP_SAVE"},
        description="Seconds in which the face goes over to this emotion and from it")

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """The model must know emotions."""
        return why_no_emotions(context)

    def execute(self, context: bpy.types.Context) -> _Result:
        """Paint it."""
        if not self.knows(context, self.emotion):
            return _CANCELLED
        first, after = _frames_to_paint(context)
        given = Range(self.emotion, self.intensity, first, after, fade_s=self.fade_s)
        emotion_strips.paint(blender_compat.sequencer_scene(context), given, None)
        return _FINISHED


class SOLILOQUY_OT_set_emotion(_OnEmotions, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Change emotion, intensity or both of the selected ranges, or of the one under the playhead"""

    bl_idname = "soliloquy.set_emotion"
    bl_label = "Change Emotion Range"

    emotion: _emotion("Another emotion; empty: as it is")  # type: ignore[valid-type]
    intensity: _intensity()  # type: ignore[valid-type]

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """A range must be meant."""
        reason = super().disabled_reason(context)
        some = emotion_strips.chosen(blender_compat.sequencer_scene(context))
        return reason or ("" if some else "Select an emotion range, or move the playhead into it")

    def execute(self, context: bpy.types.Context) -> _Result:
        """Change what was given."""
        if self.emotion and not self.knows(context, self.emotion):
            return _CANCELLED
        for strip in emotion_strips.chosen(blender_compat.sequencer_scene(context)):
            if self.emotion:
                strip.soliloquy.emotion = self.emotion
            if self.properties.is_property_set("intensity"):
                strip.soliloquy.intensity = self.intensity
        return _FINISHED


class SOLILOQUY_OT_remove_emotion(_OnEmotions, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Remove the selected ranges, or the one under the playhead: there the voice rules again"""

    bl_idname = "soliloquy.remove_emotion"
    bl_label = "Remove Emotion Range"

    disabled_reason = SOLILOQUY_OT_set_emotion.disabled_reason

    def execute(self, context: bpy.types.Context) -> _Result:
        """Remove them."""
        scene = blender_compat.sequencer_scene(context)
        for strip in emotion_strips.chosen(scene):
            emotion_strips.remove(scene.sequence_editor, strip)
        return _FINISHED


class SOLILOQUY_OT_clear_emotions(_OnEmotions, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Remove all emotion ranges of the sequencer: the voice alone rules"""

    bl_idname = "soliloquy.clear_emotions"
    bl_label = "Clear Emotions"

    def execute(self, context: bpy.types.Context) -> _Result:
        """Remove all of them."""
        emotion_strips.remove_all(blender_compat.sequencer_scene(context))
        return _FINISHED


def why_no_emotions(context: bpy.types.Context) -> str:
    """Why no emotion can be painted for the chosen face's model, or ''."""
    settings: Any = properties.performance_of(properties.chosen_face(context), context.scene)
    model = settings.model.strip()
    if emotion_strips.known(context):
        return ""
    return translated("The model '{model}' knows no emotions: choose one that does",
                      model=model) if model else "Choose a model"


def unknown(name: str, known: tuple[str, ...]) -> str:
    """That a model does not know an emotion, and which it knows."""
    return translated("The model has no emotion '{name}'. Choose one of: {known}", name=name,
                      known=", ".join(known))


def _frames_to_paint(context: bpy.types.Context) -> tuple[int, int]:
    """The frames [first, after) of the sequencer's scene that the artist means."""
    scene = blender_compat.sequencer_scene(context)
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end + 1
    first, after = _heard(context, scene)
    if not first <= scene.frame_current < after:
        return first, after
    starts = [round(blender_compat.left_handle(strip)) for strip in emotion_strips.of_scene(scene)]
    now = scene.frame_current
    return now, min((start for start in starts if now < start < after), default=after)


def _heard(context: bpy.types.Context, scene: bpy.types.Scene) -> tuple[int, int]:
    """The frames in which the panel's sound is heard; a usual length from the playhead on where
    that is not known."""
    settings, fps = context.scene.soliloquy, audio_source.scene_fps(scene)
    usual = round(_USUAL_S * fps)
    if settings.source == "FILE":
        begins = timeline.frame_in_scene(settings.first_frame,
                                         audio_source.scene_fps(context.scene), fps)
        first = max(scene.frame_current, math.floor(begins + _ROUNDING_FRAMES))
        return first, first + usual
    try:
        span = audio_source.chosen(context).span
    except errors.SoliloquyError:
        return scene.frame_current, scene.frame_current + usual
    return math.floor(span.first), math.ceil(span.after)


CLASSES = (SOLILOQUY_OT_add_emotion, SOLILOQUY_OT_set_emotion, SOLILOQUY_OT_remove_emotion,
           SOLILOQUY_OT_clear_emotions)
