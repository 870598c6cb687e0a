"""The sound the user chose (strips, the scene's mix, or a file) as a job's Sound."""

import math
import os
import tempfile
from typing import Any, NamedTuple

import bpy

from . import blender_compat, emotion_strips, strip_mix, strips, timeline
from ._backend import errors, sound_kinds
from .job import Mixing, Sound

MIX_FILE = "mix.wav"
_ROUNDING_FRAMES = 1e-3


class PlacedSound(NamedTuple):
    """A sound, its name for people, and the frame of the face's scene at which it begins; `mixing`
    where the file is still to be made; `after_frame`, where it is known, is past its end."""

    sound: Sound
    name: str
    first_frame: float
    mixing: Mixing | None = None
    after_frame: float = math.inf


class Chosen(NamedTuple):
    """What the panel's Strips or Scene will speak, before any file is looked at: the strips that
    are heard, between the frames of their own scene."""

    scene: bpy.types.Scene
    strips: list[Any]
    span: strips.Span

    @property
    def name(self) -> str:
        """'Line', or 'Line and 2 more'."""
        more = f" and {len(self.strips) - 1} more" if len(self.strips) > 1 else ""
        return f"{self.strips[0].name}{more}"

    def describe(self) -> str:
        """'2 strips, 12.4 s, from frame 24', or a strip's name instead of the number."""
        count = len(self.strips)
        what = self.strips[0].name if count == 1 else f"{count} strips"
        seconds = (self.span.after - self.span.first) / scene_fps(self.scene)
        return f"{what}, {seconds:.1f} s, from frame {self.span.first:g}"


def chosen(context: bpy.types.Context) -> Chosen:
    """The strips to speak by the panel's choice; raises AudioError saying why there are none."""
    scene = blender_compat.sequencer_scene(context)
    if context.scene.soliloquy.source == "SCENE":
        return _in_scene(scene)
    found = strips.selected(context) or emotion_strips.sounds_beneath(scene)
    if not found:
        raise errors.AudioError("no_strip", "Select a sound strip in the Video Sequencer, or choose"
                                " a sound file")
    editor, fps = scene.sequence_editor, scene_fps(scene)
    silent = [why for strip in found if (why := strips.why_silent(strip, editor))]
    heard = [(strip, strips.span_of(strip, editor, fps)) for strip in found
             if not strips.why_silent(strip, editor)]
    if silent and not heard:
        raise errors.AudioError("strip_muted", silent[0])
    return _joint(scene, heard, f"The strip '{found[0].name}' shows no part of its sound: move its "
                  "handles over the sound")


def place(context: bpy.types.Context, folder: str) -> PlacedSound:
    """The panel's sound; what has to be made of it goes into the job's `folder`. Raises AudioError.
    """
    settings = context.scene.soliloquy
    if settings.source == "FILE":
        return from_file(settings.filepath.strip(), settings.first_frame)
    return from_strips(chosen(context), context.scene, folder)


def from_strips(choice: Chosen, face_scene: bpy.types.Scene, folder: str) -> PlacedSound:
    """What strips play: a part of one file where that says it all, otherwise Blender's mix of them.
    Packed sounds and the mix go into `folder`. Raises AudioError when there is nothing to hear."""
    for strip in choice.strips:
        _check_files(strip)
    fps, face_fps = scene_fps(choice.scene), scene_fps(face_scene)
    # The file of an untrimmed strip may last a part of a frame longer.
    after_frame = timeline.frame_in_scene(choice.span.after + 1, fps, face_fps)
    if _is_plain(choice):
        sound, first = _part_of_file(choice.strips[0], fps, folder)
        return PlacedSound(sound, choice.name, timeline.frame_in_scene(first, fps, face_fps),
                           after_frame=after_frame)
    first, after = math.floor(choice.span.first), math.ceil(choice.span.after)
    _check_mixable(choice, first)
    path = os.path.join(folder, MIX_FILE)
    names = [strip.name for strip in choice.strips]
    mixing = strip_mix.write(choice.scene, strip_mix.playing_only(names), first, after, path)
    return PlacedSound(Sound(path), choice.name, timeline.frame_in_scene(first, fps, face_fps),
                       mixing, after_frame)


def _check_mixable(choice: Chosen, first: int) -> None:
    """Refuse what Blender would leave out of its mix, or mix as silence."""
    if first < 0:
        raise errors.AudioError("mix_before_0", f"'{choice.name}' begins at frame {first}; Blender "
                                "mixes sound from frame 0 on.", "Move the strips to the right.")
    if not choice.scene.use_audio:
        raise errors.AudioError(
            "scene_muted", f"The audio of the scene '{choice.scene.name}' is muted, and with it "
            "Blender's mix.", "Tick Play Audio under Playback in the Timeline.")


def from_file(path: str, first_frame: int) -> PlacedSound:
    """A whole sound file, placed at a frame; raises AudioError when there is no such file."""
    full = os.path.abspath(bpy.path.abspath(path))
    _must_exist(full)
    return PlacedSound(Sound(full), os.path.splitext(os.path.basename(full))[0], float(first_frame))


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames per second as the scene plays."""
    return float(scene.render.fps / scene.render.fps_base)


def _in_scene(scene: bpy.types.Scene) -> Chosen:
    """All that a scene plays in its frame range, or in its preview range where that is on."""
    preview = scene.use_preview_range
    first = scene.frame_preview_start if preview else scene.frame_start
    last = scene.frame_preview_end if preview else scene.frame_end
    editor, fps = scene.sequence_editor, scene_fps(scene)
    found = [] if editor is None else [
        strip for strip in blender_compat.top_strips(editor)
        if strip.type in strips.SOUNDING and not strips.why_silent(strip, editor)]
    spans = [(strip, strips.cut_to(strips.span_of(strip, editor, fps), first, last + 1))
             for strip in found]
    return _joint(scene, spans, f"The sequencer of '{scene.name}' has no sound in the frames "
                  f"{first} to {last}: add a sound strip, or change the range")


def _joint(scene: bpy.types.Scene, heard: list[tuple[Any, strips.Span | None]],
           nothing: str) -> Chosen:
    """Those that are heard, in the order of the timeline; AudioError(`nothing`) if none is."""
    sounding = sorted(((span, strip) for strip, span in heard if span is not None),
                      key=lambda pair: pair[0])
    span = strips.joint_span(span for span, _ in sounding)
    if span is None:
        raise errors.AudioError("strip_outside", nothing)
    return Chosen(scene, [strip for _, strip in sounding], span)


def _is_plain(choice: Chosen) -> bool:
    """Whether a part of one file at one volume is all that is heard, and the worker reads it."""
    strip, editor = choice.strips[0], choice.scene.sequence_editor
    return (len(choice.strips) == 1 and strip.type == "SOUND"
            and not strips.parents_of(strip, editor)
            and not blender_compat.retiming_frames(strip) and not strips.is_animated(strip)
            and _begins_on_a_frame(strip)
            and choice.span == strips.span_of(strip, editor, scene_fps(choice.scene))
            and sound_kinds.is_read(_start_of(strip)))


def _begins_on_a_frame(strip: Any) -> bool:
    """Whether the untrimmed sound would begin on a whole frame. It does not where the scene's frame
    rate was changed after a trim; then versions of Blender play it up to a frame off, each its way.
    """
    start = blender_compat.content_start(strip)
    return abs(start - round(start)) < _ROUNDING_FRAMES


def _start_of(strip: Any) -> bytes:
    """How the file of a strip's sound begins."""
    if strip.sound.packed_file is not None:
        return bytes(strip.sound.packed_file.data[:sound_kinds.START_BYTES])
    path = _sound_path(strip)
    try:
        with open(path, "rb") as file:
            return file.read(sound_kinds.START_BYTES)
    except OSError as problem:
        raise errors.AudioError("audio_missing", f"The sound '{path}' cannot be opened: "
                                f"{problem.strerror}.", "Choose another file.") from problem


def _part_of_file(strip: Any, fps: float, folder: str) -> tuple[Sound, float]:
    """The part of its file that a plain strip plays, and the frame where it begins."""
    span = timeline.audible_span(strips.sound_times(strip), fps)
    assert span is not None  # chosen() leaves out what is not heard
    # The end of an untrimmed strip is rounded to frames: let the file itself say where it ends.
    duration_s = span.duration_s if _cut_short(strip, fps) else None
    sound = Sound(_file_of(strip, folder), span.start_s, duration_s, 1.0, float(strip.volume))
    return sound, span.first_frame


def _cut_short(strip: Any, fps: float) -> bool:
    """Whether the strip ends before its sound does."""
    times = strips.sound_times(strip)
    sound_end = times.content_start + times.content_frames + times.sound_offset_s * fps
    return times.right_handle < sound_end - 0.5 or bool(blender_compat.hard_trim_end_frames(strip))


def _check_files(strip: Any) -> None:
    """Refuse a strip whose file is gone, which Blender would play as silence."""
    if strip.type == "META":
        for inner in blender_compat.top_strips(strip):
            _check_files(inner)
    elif strip.type == "SOUND" and (strip.sound is None or strip.sound.packed_file is None):
        _sound_path(strip)
    elif strip.type == "MOVIE":
        _must_exist(os.path.abspath(bpy.path.abspath(strip.filepath)))
        if blender_compat.retiming_frames(strip):
            raise errors.AudioError(
                "movie_retimed", f"The movie strip '{strip.name}' changes its speed.",
                "Add its file as a sound strip (Add > Sound) and select that.")


def _file_of(strip: Any, folder: str) -> str:
    """The file of a strip's sound, which is unpacked into `folder` if the .blend holds it."""
    sound = strip.sound
    if sound is None or sound.packed_file is None:
        return _sound_path(strip)
    suffix = os.path.splitext(sound.filepath)[1] or ".wav"
    with tempfile.NamedTemporaryFile(dir=folder, suffix=suffix, delete=False) as file:
        file.write(sound.packed_file.data)
    return str(file.name)


def _sound_path(strip: Any) -> str:
    sound = strip.sound
    if sound is None:
        raise errors.AudioError("strip_empty", f"The strip '{strip.name}' has no sound.",
                                "Choose a sound file in the strip's settings.")
    full = str(os.path.abspath(bpy.path.abspath(sound.filepath, library=sound.library)))
    _must_exist(full, f" of the strip '{strip.name}'")
    return full


def _must_exist(path: str, whose: str = "") -> None:
    if not os.path.isfile(path):
        raise errors.AudioError("audio_missing", f"There is no sound file '{path}'{whose}.",
                                "Choose a file that exists.")
