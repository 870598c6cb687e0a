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


def switch_on(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack) -> None:
    """Let an action of ours play beside everything that is there; see the top of this file."""
    _set_mute(action, False, undo)
    strips = list(strips_of(keys, action))
    for track, strip in strips:
        for owner in (track, strip):
            if owner.mute:
                owner.mute = False
                undo.callback(setattr, owner, "mute", True)
    data = keys.animation_data
    if not strips and (data is None or data.action != action):
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
    """An action that plays from `first_frame` to `last_frame` of the scene: `own_first` is its own
    frame shown first, `scale` scene frames last as long as one of its own; its NLA strip, if it
    plays from one."""

    action: bpy.types.Action
    first_frame: float
    last_frame: float
    own_first: float
    scale: float = 1.0
    strip: bpy.types.NlaStrip | None = None

    def own_frames(self, frames: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The action's own frames at frames (N,) of the scene."""
        return np.asarray((frames - self.first_frame) / self.scale + self.own_first, np.float64)

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
        first, last = data.action.frame_range
        yield Playing(data.action, first, last, first)
    for track in data.nla_tracks:
        for strip in track.strips:
            if not (track.mute or strip.mute) and _sounds(strip.action):
                yield Playing(strip.action, strip.frame_start, strip.frame_end,
                              strip.action_frame_start, strip.scale, strip)


def takes_playing(keys: bpy.types.Key) -> list[Playing]:
    """The playing actions that are takes, not layers upon them."""
    return [found for found in playing(keys)
            if "layer" not in found.action[keyframes.PROVENANCE]]


def switch_off_within(keys: bpy.types.Key, first_frame: float, last_frame: float,
                      undo: ExitStack) -> None:
    """Switch off our takes that overlap these frames, so that motion is not doubled. Ranges
    include the fade to rest; lines that only meet in it are neighbours, not takes of one line."""
    for found in takes_playing(keys):
        if overlap(found.action, found.first_frame, found.last_frame, first_frame, last_frame):
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


def remove_strips(keys: bpy.types.Key, action: bpy.types.Action) -> None:
    """Remove an action's NLA strips, and the tracks that are empty then."""
    for track, strip in list(strips_of(keys, action)):
        track.strips.remove(strip)
        if not track.strips:
            keys.animation_data.nla_tracks.remove(track)


def add_track(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack) -> None:
    """Let an action play from a new NLA track that bears its name."""
    had_data = keys.animation_data is not None
    data = keys.animation_data_create()
    if not had_data:
        undo.callback(keys.animation_data_clear)
    track = data.nla_tracks.new()
    undo.callback(data.nla_tracks.remove, track)
    track.name = action.name
    strip = track.strips.new(action.name, int(action.frame_range[0]), action)
    blender_compat.set_slot(strip, action)
    strip.extrapolation = "HOLD"


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
