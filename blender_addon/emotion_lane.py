"""From the ranges painted in the sequencer to the emotion lane of a request."""

from typing import Any

import bpy

from . import audio_source, blender_compat, emotion_ranges, emotion_strips, strips, timeline
from ._backend import emotions, messages, pack
from .emotion_ranges import Range

Lane = tuple[messages.EmotionSpan, ...]


def painted(context: bpy.types.Context, face: bpy.types.Object, chosen: pack.Pack,
            placed: audio_source.PlacedSound) -> Lane:
    """What is painted for a face over a sound; nothing for a model that knows no emotions. Raises
    RequestError for an emotion that it does not know."""
    if not chosen.manifest.emotions:
        return ()
    scene = blender_compat.sequencer_scene(context)
    fps, face_fps = audio_source.scene_fps(scene), audio_source.scene_fps(context.scene)
    ranges = [each for strip in emotion_strips.of_scene(scene)
              if emotion_strips.is_on(scene, strip)
              and (emotion_strips.is_for(strip, None) or emotion_strips.is_for(strip, face))
              and (each := _read(strip, scene.sequence_editor, fps, face_fps))
              and each.first < placed.after_frame]
    return _checked(emotion_ranges.spans(ranges, placed.first_frame, face_fps), chosen)


def spelled(text: str, chosen: pack.Pack) -> Lane:
    """What a script asks for, such as 'happy:0.8@1.2-3.4; sad@3.4-5', in seconds of the sound;
    raises RequestError."""
    parts = [part.strip() for part in text.split(";")]
    return _checked(tuple(emotions.parse(part) for part in parts if part), chosen)


def _checked(lane: Lane, chosen: pack.Pack) -> Lane:
    if chosen.manifest.emotions:  # the worker says it of a model without any
        emotions.check(lane, chosen.manifest.emotions)
    return lane


def _read(strip: Any, editor: bpy.types.SequenceEditor, fps: float,
          face_fps: float) -> Range | None:
    """A strip as a range in frames of the face's scene, cut to the meta strips around it."""
    span, given = strips.span_of(strip, editor, fps), strip.soliloquy
    if span is None:
        return None
    first, after = (timeline.frame_in_scene(frame, fps, face_fps) for frame in span)
    return Range(given.emotion.strip(), _decimal(given.intensity), first, after,
                 given.other.strip(), _decimal(given.share), _decimal(given.fade_s))


def _decimal(single: float) -> float:
    """What the artist sees in a field, which holds single precision: 0.8, not 0.800000012."""
    return round(single, 4)
