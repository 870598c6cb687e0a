"""The sound the user chose: a sound strip's audible part, or a whole file, as a job's Sound."""

import os
import tempfile
from typing import Any, NamedTuple

import bpy

from . import blender_compat, timeline
from ._backend import errors
from .job import Sound


class PlacedSound(NamedTuple):
    """A sound, its name for people, and the frame of `scene` at which it begins."""

    sound: Sound
    name: str
    first_frame: float


def selected_strips(context: bpy.types.Context) -> list[Any]:
    """The selected sound strips of the scene that the sequencer shows."""
    editor = blender_compat.sequencer_scene(context).sequence_editor
    if editor is None:
        return []
    return [strip for strip in blender_compat.all_strips(editor)
            if strip.type == "SOUND" and strip.select]


def chosen_strip(context: bpy.types.Context) -> Any | None:
    """The selected sound strip; of several the active one, else none: a guess would animate the
    wrong line."""
    strips = selected_strips(context)
    if len(strips) == 1:
        return strips[0]
    editor = blender_compat.sequencer_scene(context).sequence_editor
    active = editor.active_strip if strips else None
    return active if active is not None and active.name in {s.name for s in strips} else None


def from_strip(strip: Any, strip_scene: bpy.types.Scene, face_scene: bpy.types.Scene,
               folder: str) -> PlacedSound:
    """What a strip plays; packed sounds are unpacked into `folder`. Raises AudioError when the
    strip has no sound to hear or its speed changes within."""
    fps, path = scene_fps(strip_scene), _file_of(strip, folder)
    speed = _speed(strip, path, fps)
    span = timeline.audible_span(_times(strip, speed), fps)
    if span is None:
        raise errors.AudioError("strip_outside", f"The strip '{strip.name}' shows no part of its "
                                "sound.", "Move its handles over the sound.")
    # The end of an untrimmed strip is rounded to frames: let the file itself say where it ends.
    duration_s = span.duration_s if _cut_short(strip) else None
    sound = Sound(path, span.start_s, duration_s, speed, float(strip.volume))
    first = timeline.frame_in_scene(span.first_frame, fps, scene_fps(face_scene))
    return PlacedSound(sound, strip.name, first)


def from_file(path: str, first_frame: int) -> PlacedSound:
    """A whole sound file, placed at a frame; raises AudioError when there is no such file."""
    full = os.path.abspath(bpy.path.abspath(path))
    _must_exist(full)
    return PlacedSound(Sound(full), os.path.splitext(os.path.basename(full))[0], float(first_frame))


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames per second as the scene plays."""
    return float(scene.render.fps / scene.render.fps_base)


def _times(strip: Any, speed: float) -> timeline.StripTimes:
    return timeline.StripTimes(
        content_start=blender_compat.content_start(strip),
        content_frames=blender_compat.content_frames(strip),
        left_handle=blender_compat.left_handle(strip),
        right_handle=blender_compat.right_handle(strip),
        skipped_frames=blender_compat.hard_trim_frames(strip),
        sound_offset_s=float(getattr(strip, "sound_offset", 0.0)), speed=speed)


def _speed(strip: Any, path: str, fps: float) -> float:
    """How many file seconds a second of the strip plays."""
    keys, frames = blender_compat.retiming_key_count(strip), blender_compat.content_frames(strip)
    if keys == 0:
        return 1.0
    length_s = blender_compat.sound_length_s(path)
    trimmed_s = (blender_compat.hard_trim_frames(strip)
                 + blender_compat.hard_trim_end_frames(strip)) / fps
    speed = timeline.retimed_speed(keys, frames, length_s and length_s - trimmed_s, fps)
    if speed is None:
        raise errors.AudioError("strip_retimed", f"The strip '{strip.name}' changes its speed.",
                                "Give it one speed, or render it to a file and use that.")
    return speed


def _cut_short(strip: Any) -> bool:
    """Whether the strip ends before its sound does."""
    content_end = blender_compat.content_start(strip) + blender_compat.content_frames(strip)
    return (blender_compat.right_handle(strip) < content_end - 0.5
            or bool(blender_compat.hard_trim_end_frames(strip)))


def _file_of(strip: Any, folder: str) -> str:
    sound = strip.sound
    if sound is None:
        raise errors.AudioError("strip_empty", f"The strip '{strip.name}' has no sound.",
                                "Choose a sound file in the strip's settings.")
    if sound.packed_file is None:
        full = str(os.path.abspath(bpy.path.abspath(sound.filepath, library=sound.library)))
        _must_exist(full)
        return full
    suffix = os.path.splitext(sound.filepath)[1] or ".wav"
    with tempfile.NamedTemporaryFile(dir=folder, suffix=suffix, delete=False) as file:
        file.write(sound.packed_file.data)
    return str(file.name)


def _must_exist(path: str) -> None:
    if not os.path.isfile(path):
        raise errors.AudioError("audio_missing", f"There is no sound file '{path}'.",
                                "Choose a file that exists.")
