"""What can be heard of the sequencer's strips, and when. Reads only, and no file."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import bpy

from . import blender_compat, timeline
from ._backend import errors
from .words import translated

# What of a sequencer makes sound; a movie does not by itself, but its file may hold some.
SOUNDING = {"SOUND", "META", "SCENE"}
# The name of the one strip that is spoken whatever is selected, or ''.
_only = ""


class Span(NamedTuple):
    """Frames from `first` up to, but not with, `after`."""

    first: float
    after: float


def selected(context: bpy.types.Context) -> list[Any]:
    """The selected strips that may be spoken: those with sound, and movies whose sound is not
    selected beside them as a strip of its own."""
    editor = blender_compat.sequencer_scene(context).sequence_editor
    chosen = [] if editor is None else _chosen(editor)
    files = {_file(strip) for strip in chosen if strip.type == "SOUND"}
    return [strip for strip in chosen if _may_sound(strip)
            or (strip.type == "MOVIE" and _file(strip) not in files)]


def _may_sound(strip: Any) -> bool:
    """Whether it is a strip with sound; of meta strips, one that holds such a strip."""
    if strip.type == "META":
        return any(map(_may_sound, blender_compat.top_strips(strip)))
    return strip.type in SOUNDING


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """The strip of that name counts as the only selected one, also inside a closed meta strip."""
    global _only
    _only = name
    try:
        yield
    finally:
        _only = ""


def _chosen(editor: bpy.types.SequenceEditor) -> list[Any]:
    if _only:
        return [_named(_only, editor)]
    # Strips in a closed meta stay selected where no one sees it.
    return [strip for strip in blender_compat.shown_strips(editor) if strip.select]


def _named(name: str, editor: bpy.types.SequenceEditor) -> Any:
    for strip in blender_compat.all_strips(editor):
        if strip.name == name:
            return strip
    raise errors.AudioError("strip_gone", f"The strip '{name}' was renamed or removed: press List "
                            "the Lines")


def why_silent(strip: Any, editor: bpy.types.SequenceEditor) -> str:
    """Why nothing of a strip is heard, in one line, or ''."""
    parents = parents_of(strip, editor)
    if strip.mute:
        return translated("The strip '{strip}' is muted: unmute it (Alt H)", strip=strip.name)
    owner = parents[0] if parents else editor
    channel = owner.channels[strip.channel]
    if channel.mute:
        return translated("The channel '{channel}' of the strip '{strip}' is muted: unmute it",
                          channel=channel.name, strip=strip.name)
    if parents:
        return why_silent(parents[0], editor)
    if strip.type == "SOUND" and strip.volume == 0 and not is_animated(strip):
        return translated("The volume of the strip '{strip}' is 0: turn it up", strip=strip.name)
    return ""


def sound_at(editor: bpy.types.SequenceEditor, path: str, frame: int) -> Any:
    """The sound strip by which a file is heard as if it began at a frame, or None."""
    return next((strip for strip in blender_compat.all_strips(editor) if strip.type == "SOUND"
                 and os.path.realpath(_file(strip)) == os.path.realpath(path)
                 and abs(blender_compat.content_start(strip) - frame) < 1
                 and not why_silent(strip, editor)), None)


def span_of(strip: Any, editor: bpy.types.SequenceEditor, fps: float) -> Span | None:
    """The frames in which a strip can be heard, cut to the metas around it; None when there are
    none, as in a meta strip without sound."""
    span = _own_span(strip, editor, fps)
    for parent in parents_of(strip, editor):
        span = _cut(span, _handles(parent))
    return span


def joint_span(spans: Iterable[Span | None]) -> Span | None:
    """From the first beginning to the last end."""
    found = [span for span in spans if span is not None]
    if not found:
        return None
    return Span(min(span.first for span in found), max(span.after for span in found))


def cut_to(span: Span | None, first: float, after: float) -> Span | None:
    """The part of a span within a range of frames."""
    return _cut(span, Span(first, after))


def parents_of(strip: Any, editor: bpy.types.SequenceEditor) -> list[Any]:
    """The meta strips around a strip, the innermost first."""
    parents = [meta for meta in blender_compat.all_strips(editor) if meta.type == "META"
               and any(inner == strip for inner in blender_compat.top_strips(meta))]
    return [] if not parents else [parents[0], *parents_of(parents[0], editor)]


def is_animated(strip: Any) -> bool:
    """Whether the strip's volume may change within it."""
    data = strip.id_data.animation_data
    if data is None:
        return False
    path = strip.path_from_id("volume")
    curves = [] if data.action is None else blender_compat.curves_of(data.action)
    return (any(curve.data_path == path for curve in (*curves, *data.drivers))
            or len(data.nla_tracks) > 0)


def sound_times(strip: Any) -> timeline.StripTimes:
    """A sound strip's own numbers."""
    return timeline.StripTimes(
        content_start=blender_compat.content_start(strip),
        content_frames=blender_compat.content_frames(strip),
        left_handle=blender_compat.left_handle(strip),
        right_handle=blender_compat.right_handle(strip),
        skipped_frames=blender_compat.hard_trim_frames(strip),
        sound_offset_s=float(getattr(strip, "sound_offset", 0.0)))


def _own_span(strip: Any, editor: bpy.types.SequenceEditor, fps: float) -> Span | None:
    if strip.type == "SOUND":
        heard = timeline.heard_frames(sound_times(strip), fps)
        return Span(*heard) if heard else None
    if strip.type == "META":
        inside = [_own_span(inner, editor, fps) for inner in blender_compat.top_strips(strip)
                  if inner.type in SOUNDING and not why_silent(inner, editor)]
        return _cut(joint_span(inside), _handles(strip))
    return _handles(strip)


def _handles(strip: Any) -> Span:
    return Span(blender_compat.left_handle(strip), blender_compat.right_handle(strip))


def _cut(span: Span | None, to: Span) -> Span | None:
    if span is None:
        return None
    both = Span(max(span.first, to.first), min(span.after, to.after))
    return both if both.after > both.first else None


def _file(strip: Any) -> str:
    """The absolute path of a sound or movie strip's file, to compare with others."""
    if strip.type == "SOUND":
        sound = strip.sound
        return bpy.path.abspath(sound.filepath, library=sound.library) if sound else ""
    return str(bpy.path.abspath(strip.filepath))
