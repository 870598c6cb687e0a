"""Where our Actions go on a face's AnimData, and which of them play.

- Nothing of the artist's is there: the Action is assigned, ready to edit.
- Another line of ours is assigned: that one is pushed down into an NLA track of its own (as the
  artist's own "Push Down" would), and the new one is assigned.
- The artist has an Action or NLA tracks there: theirs stay as they are, and ours plays from a new
  NLA track. Assigning ours instead would silence theirs.

A take that does not play has its curves muted, and is not assigned unless the artist has added
curves to it, which play on. Switching moves no strip that the artist has placed.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import bpy
import numpy as np
import numpy.typing as npt

from . import blender_compat, keyframes

# How a strip plays its action, in an order in which no setting changes an earlier one.
_OF_A_STRIP = ("action_frame_start", "action_frame_end", "scale", "repeat", "frame_start",
               "frame_end", "use_reverse", "blend_type", "extrapolation", "use_auto_blend",
               "blend_in", "blend_out")


def why_not_placeable(keys: bpy.types.Key | None) -> str:
    """Why a further Action could not play on these shape keys, or ''."""
    data = keys.animation_data if keys is not None else None
    if data is None or (data.action is None and not data.nla_tracks):
        return ""
    if data.use_tweak_mode:
        return "Leave the NLA's tweak mode (Tab) on this face first"
    if not data.use_nla:
        return "NLA evaluation is off for this face's shape keys; switch it on"
    if any(track.is_solo for track in data.nla_tracks):
        return "An NLA track of this face plays solo; switch that off"
    return ""


def switch_on(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack,
              like: bpy.types.Action | None = None) -> None:
    """Let an action of ours play beside everything that is there; see the top of this file. One
    that is new there plays from strips like those of another, if that has any."""
    _set_mute(action, False, undo)
    strips = list(strips_of(keys, action))
    for track, strip in strips:
        for owner in (track, strip):
            if owner.mute:
                owner.mute = False
                undo.callback(setattr, owner, "mute", True)
    data = keys.animation_data
    if not strips and (data is None or data.action != action):
        examples = [strip for _track, strip in strips_of(keys, like)] if like is not None else []
        for example in examples:
            add_track(keys, action, undo, example)
        if not examples:
            _place(keys, action, undo)
    keys.update_tag(refresh={"TIME"})


def switch_off(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack) -> None:
    """Let an action of ours play no more; its shape keys return to 0."""
    _set_mute(action, True, undo)
    data = keys.animation_data
    if data is not None and data.action == action and keyframes.only_ours(action):
        _assign(data, None, undo)
    for name in keyframes.key_names(action):
        key = keys.key_blocks.get(name)
        if key is not None and key.value:
            undo.callback(setattr, key, "value", key.value)
            key.value = 0.0
    keys.update_tag(refresh={"TIME"})


class Playing(NamedTuple):
    """An action that plays from `first_frame` to `last_frame` of the scene; its NLA strip, if it
    plays from one, in which `scale` scene frames last as long as one of its own."""

    action: bpy.types.Action
    first_frame: float
    last_frame: float
    scale: float = 1.0
    strip: bpy.types.NlaStrip | None = None

    def own_frames(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The action's own frames at frames (N,) of the scene."""
        strip = self.strip
        if strip is None:
            return np.asarray(frames, np.float64)
        if strip.use_animated_time:
            curve = strip.fcurves.find("strip_time")
            return np.array([curve.evaluate(frame) for frame in frames])
        held = np.clip(frames, self.first_frame, self.last_frame)
        passed = (held - self.first_frame) / self.scale
        length = strip.action_frame_end - strip.action_frame_start
        within = passed % length
        if strip.repeat == int(strip.repeat):  # the last ends at its end
            within = np.where(frames >= self.last_frame, length, within)
        return np.asarray(strip.action_frame_end - within if strip.use_reverse
                          else strip.action_frame_start + within, np.float64)

    @property
    def line(self) -> tuple[float, float]:
        """First and last frame of the scene in which keyframes of ours play; what the artist added
        to the action may go beyond."""
        first, last = keyframes.frame_range(self.action)
        strip = self.strip
        if strip is None:
            return first, last
        if strip.use_animated_time or strip.use_reverse or strip.repeat != 1.0:
            return self.first_frame, self.last_frame
        shift = self.first_frame - strip.action_frame_start * self.scale
        return (max(self.first_frame, first * self.scale + shift),
                min(self.last_frame, last * self.scale + shift))

    def influence(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """How much of it plays (N,) at frames (N,) of the scene, 0..1."""
        strip = self.strip
        if strip is None:
            return np.ones(len(frames), dtype=np.float32)
        if strip.use_animated_influence:
            curve = strip.fcurves.find("influence")
            return np.array([curve.evaluate(frame) for frame in frames], dtype=np.float32)
        rising = (frames - self.first_frame) / max(strip.blend_in, 1e-6)
        falling = (self.last_frame - frames) / max(strip.blend_out, 1e-6)
        parts = [part for part, length in ((rising, strip.blend_in), (falling, strip.blend_out))
                 if length > 0]
        least = np.min([np.ones(len(frames)), *parts], axis=0)
        return np.asarray(np.clip(least, 0, 1), dtype=np.float32)


def playing(keys: bpy.types.Key) -> Iterator[Playing]:
    """Our actions that play on these shape keys."""
    data = keys.animation_data
    if data is None:
        return
    if _sounds(data.action):
        yield Playing(data.action, *keyframes.frame_range(data.action))
    for track in data.nla_tracks:
        for strip in track.strips:
            if not (track.mute or strip.mute) and _sounds(strip.action):
                yield _from(strip)


def _from(strip: bpy.types.NlaStrip) -> Playing:
    return Playing(strip.action, strip.frame_start, strip.frame_end, strip.scale, strip)


def takes_playing(keys: bpy.types.Key) -> list[Playing]:
    """The playing actions that are takes, not layers upon them."""
    return [found for found in playing(keys)
            if "layer" not in found.action[keyframes.PROVENANCE]]


def switch_off_within(keys: bpy.types.Key, first_frame: float, last_frame: float,
                      undo: ExitStack) -> None:
    """Switch off our takes that overlap these frames, so that motion is not doubled. Ranges
    include the fade to rest; lines that only meet in it are neighbours, not takes of one line."""
    for found in takes_playing(keys):
        if overlap(found.action, *found.line, first_frame, last_frame):
            switch_off(keys, found.action, undo)


def overlap(action: bpy.types.Action, start: float, end: float, first_frame: float,
            last_frame: float) -> bool:
    """Whether an action that plays from `start` to `end` is a take of the line in these frames."""
    meeting = 2 * int(action[keyframes.PROVENANCE].get("fade_frames", 0))
    return min(end, last_frame) - max(start, first_frame) > meeting


def strips_of(keys: bpy.types.Key, action: bpy.types.Action
              ) -> Iterator[tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]]:
    """The NLA strips of an action on these shape keys, each with its track."""
    data = keys.animation_data
    for track in data.nla_tracks if data is not None else ():
        yield from ((track, strip) for strip in track.strips if strip.action == action)


def place(keys: bpy.types.Key, action: bpy.types.Action) -> tuple[float, float]:
    """First and last frame of the scene in which an action plays, or would: from its strips, else
    at its own frames."""
    lines = [_from(strip).line for _track, strip in strips_of(keys, action)]
    if not lines:
        return keyframes.frame_range(action)
    return min(first for first, _last in lines), max(last for _first, last in lines)


def remove_strips(keys: bpy.types.Key, action: bpy.types.Action) -> None:
    """Remove an action's NLA strips, and the tracks that are empty then."""
    for track, strip in list(strips_of(keys, action)):
        track.strips.remove(strip)
        if not track.strips:
            keys.animation_data.nla_tracks.remove(track)


def add_track(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack,
              like: bpy.types.NlaStrip | None = None) -> None:
    """Let an action play from a new NLA track that bears its name: at its own frames, or as another
    strip does."""
    had_data = keys.animation_data is not None
    data = keys.animation_data_create()
    if not had_data:
        undo.callback(keys.animation_data_clear)
    track = data.nla_tracks.new()
    undo.callback(data.nla_tracks.remove, track)
    track.name = action.name
    first = action.frame_range[0]
    strip = track.strips.new(action.name, int(first), action)
    blender_compat.set_slot(strip, action)
    strip.extrapolation = "HOLD"
    strip.frame_start_ui = first  # new strips begin at whole frames
    for name in _OF_A_STRIP if like is not None else ():
        setattr(strip, name, getattr(like, name))


def push_down(keys: bpy.types.Key, undo: ExitStack) -> None:
    """Move the assigned action into an NLA track of its own."""
    action = keys.animation_data.action
    _assign(keys.animation_data, None, undo)
    add_track(keys, action, undo)


def _place(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack) -> None:
    data = keys.animation_data
    if data is None:
        data = keys.animation_data_create()
        undo.callback(keys.animation_data_clear)
    if keyframes.is_ours(data.action):
        push_down(keys, undo)
    if data.action is None and all(_is_our_track(track) for track in data.nla_tracks):
        _assign(data, action, undo)
    else:
        add_track(keys, action, undo)


def _is_our_track(track: bpy.types.NlaTrack) -> bool:
    return all(keyframes.is_ours(strip.action) for strip in track.strips)


def _sounds(action: bpy.types.Action | None) -> bool:
    return keyframes.is_ours(action) and not all(
        curve.mute for curve in keyframes.our_curves(action))


def _set_mute(action: bpy.types.Action, mute: bool, undo: ExitStack) -> None:
    for curve in keyframes.our_curves(action):
        if curve.mute != mute:
            curve.mute = mute
            undo.callback(setattr, curve, "mute", not mute)


def _assign(data: bpy.types.AnimData, action: bpy.types.Action | None, undo: ExitStack) -> None:
    earlier = data.action
    undo.callback(_set_action, data, earlier)
    _set_action(data, action)


def _set_action(data: bpy.types.AnimData, action: bpy.types.Action | None) -> None:
    data.action = action
    if action is not None:
        blender_compat.set_slot(data, action)
