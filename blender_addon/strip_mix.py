"""Blender's own mix of chosen strips, written to a wav file a little at a time.

Blender mixes, so whatever its sequencer does to a sound (speed, freezes, fades, meta strips) is in
the file as it is heard. Each part is mixed in a copy of the scene that lives for that part only:
the artist's scene is never touched, and nothing is left in the file when the job is dropped.
"""

import os
import time
import wave
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from . import blender_compat
from ._backend import errors
from .job import Mixing

# Speech encoders hear 16 kHz; mixing at more would only take longer.
RATE_HZ = 16000
_FIRST_PART_S = 1.0
_LONGEST_PART_S = 20.0
# A tick shorter than 100 ms is not felt; without a window nobody waits for the next drawing.
_TICK_BUDGET_S = 0.04
_BACKGROUND_BUDGET_S = 2.0
_PATIENCE_S = 60.0

# Prepares the copy of the scene: which strips it plays, and what else.
Arrange = Callable[[bpy.types.Scene], None]


def write(scene: bpy.types.Scene, arrange: Arrange, first: int, after: int,
          path: str) -> Mixing:
    """Write the frames [first, after) of a scene's arranged copy to `path`, mono; yields the share
    done, 0..1, after at most a few hundredths of a second of work. Raises AudioError."""
    fps = float(scene.render.fps / scene.render.fps_base)
    budget_s = _BACKGROUND_BUDGET_S if bpy.app.background else _TICK_BUDGET_S
    part_s, name = _FIRST_PART_S, scene.name
    with wave.open(path, "wb") as out:
        out.setparams((1, 2, RATE_HZ, 0, "NONE", "not compressed"))
        at, fresh = first, fresh_starts(scene.sequence_editor)
        while at < after:
            stop = min(after, at + max(1, round(part_s * fps)))
            stop = min((start for start in fresh if at < start < stop), default=stop)
            # A resampler that has just begun is not in tune yet: one frame more before.
            begin = max(0, at - (at not in fresh))
            share = (at - first) / (after - first)
            samples, busy_s = yield from _part(name, arrange, (begin, at, stop), fps, path, share)
            out.writeframes(samples)
            part_s = min(_LONGEST_PART_S, part_s * min(2.0, budget_s / busy_s))
            at = stop
            yield (at - first) / (after - first)


def playing_only(names: Collection[str]) -> Arrange:
    """The scene with the named strips, the sound of named movies, and no other strips."""

    def arrange(scene: bpy.types.Scene) -> None:
        _keep(scene.sequence_editor, names)

    return arrange


def _keep(owner: Any, names: Collection[str]) -> bool:
    """Mute all strips of an editor or a meta strip but those that are named or hold a named one;
    returns whether any plays."""
    plays_any = False
    for strip in list(blender_compat.top_strips(owner)):
        plays = strip.name in names or (strip.type == "META" and _keep(strip, names))
        strip.mute = strip.mute or not plays
        plays_any = plays_any or plays
        if plays and strip.type == "MOVIE":
            _hear(strip, blender_compat.top_strips(owner))
    return plays_any


def _hear(movie: Any, beside: Any) -> None:
    """Put the sound of a movie strip in its place; raises AudioError when it holds none."""
    name, channel = movie.name, movie.channel
    first, after = blender_compat.left_handle(movie), blender_compat.right_handle(movie)
    start, path = round(blender_compat.content_start(movie)), movie.filepath
    beside.remove(movie)
    try:
        sound = beside.new_sound(name, path, channel, start)
    except RuntimeError as problem:
        raise _cannot_mix(problem) from problem
    if getattr(sound.sound, "channels", "") == "INVALID":
        raise errors.AudioError(
            "movie_mute", f"The movie of the strip '{name}' has no sound that Blender can read.",
            "Save its sound as WAV, FLAC, OGG or MP3, and choose that file.")
    blender_compat.set_handles(sound, round(first), round(after))


def fresh_starts(owner: Any) -> set[int]:
    """The frames at which to begin a part anew because strips of an editor or a meta strip have
    changed their speed: Blender's reader keeps the old one for some 80 ms, and is in step again
    only when it begins at a place it has computed, one frame later."""
    strips = list(blender_compat.top_strips(owner))
    keys = {key for strip in strips for key in blender_compat.retiming_frames(strip)}
    inner = [fresh_starts(strip) for strip in strips if strip.type == "META"]
    return set().union(*inner, keys, {key + 1 for key in keys})


def _part(name: str, arrange: Arrange, frames: tuple[int, int, int], fps: float, path: str,
          share: float) -> Generator[float, None, tuple[bytes, float]]:
    """The samples of the frames [at, stop), mixed from `begin` on, and for how many seconds Blender
    was kept busy; yields `share` while it mixes on by itself."""
    begin, at, stop = frames
    skip = _sample(at, fps) - _sample(begin, fps)
    count = _sample(stop, fps) - _sample(at, fps)
    scene, started = _scene_named(name), time.monotonic()
    with _copy(scene) as temporary:
        arrange(temporary)
        _mix_down(temporary, begin, stop, part := f"{path}.part.wav")
        busy_s = time.monotonic() - started
        while (data := _samples(part, skip, count)) is None:
            if time.monotonic() - started > _PATIENCE_S:
                raise errors.AudioError(
                    "mix_failed", f"Blender did not mix the sound of the scene '{name}'.",
                    "Mix it down to a file (Render > Render Audio) and choose that file.")
            yield share
    os.remove(part)
    return data, busy_s


def _scene_named(name: str) -> bpy.types.Scene:
    scene = bpy.data.scenes.get(name)
    if scene is None or scene.sequence_editor is None:
        raise errors.AudioError("scene_gone", f"The scene '{name}' or its strips were renamed or "
                                "deleted during the job.", "Press again.")
    return scene


@contextmanager
def _copy(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """A copy of a scene's sequencer, without what it films: evaluating that would take long."""
    copy = scene.copy()
    name = copy.name
    try:
        copy.camera = copy.world = copy.background_set = None
        for child in list(copy.collection.children):
            copy.collection.children.unlink(child)
        for thing in list(copy.collection.objects):
            copy.collection.objects.unlink(thing)
        copy.use_preview_range = False
        yield copy
    finally:
        # By name: the artist may have undone or opened something while Blender mixed.
        left = bpy.data.scenes.get(name)
        if left is not None and left != scene:
            bpy.data.scenes.remove(left)


def _mix_down(scene: bpy.types.Scene, begin: int, stop: int, path: str) -> None:
    """Ask Blender for the frames [begin, stop) as a wav file; raises AudioError."""
    # One frame more after, for the samples that rounding leaves out.
    scene.frame_end, scene.frame_start = stop, begin
    scene.render.ffmpeg.audio_channels, scene.render.ffmpeg.audio_mixrate = "MONO", RATE_HZ
    known = bpy.ops.sound.mixdown.get_rna_type().properties.keys()
    newer = {"channels": "MONO", "mixrate": RATE_HZ}
    try:
        with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
            bpy.ops.sound.mixdown(
                "EXEC_DEFAULT", filepath=path, check_existing=False, container="WAV", codec="PCM",
                format="S16", **{key: newer[key] for key in newer if key in known})
    except (RuntimeError, TypeError) as problem:
        raise _cannot_mix(problem) from problem


def _cannot_mix(problem: Exception) -> errors.AudioError:
    """A Blender that was built without sound."""
    return errors.AudioError(
        "mix_failed", f"This Blender cannot mix sound: {' '.join(str(problem).split())}.",
        "Choose one plain sound strip or a sound file.")


def _samples(path: str, skip: int, count: int) -> bytes | None:
    """`count` samples after the first `skip`, or None while Blender, which mixes beside us from 5.2
    on, has not finished the file."""
    try:
        with wave.open(path, "rb") as file:
            if file.getnframes() < skip + count:
                return None
            file.setpos(skip)
            return file.readframes(count)
    except (OSError, EOFError, wave.Error):
        return None


def _sample(frame: int, fps: float) -> int:
    """The sample at which a frame begins, as Blender counts."""
    return int(frame * RATE_HZ / fps)
