"""Values over time -> F-curves of a new Action, placed so that all earlier animation plays on.

Where the Action goes on the shape keys' AnimData:
- nothing is there: it becomes the assigned Action, ready to edit.
- an earlier Soliloquy Action is assigned: that one is pushed down into an NLA track of its own
  (as the artist's own "Push Down" would), and the new one is assigned.
- the artist has an Action or NLA tracks there: theirs stay as they are, and ours plays from a new
  NLA track. Assigning ours instead would silence theirs.
Every line begins and ends at rest, so takes held before and after their range add nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import blender_compat

PROVENANCE = "soliloquy"
_LINEAR = 1


def new_action(name: str, key_names: list[str], first_frame: int,
               values: npt.NDArray[np.float32], fade_frames: int,
               provenance: Mapping[str, Any]) -> bpy.types.Action:
    """A new Action with one curve per key; values (N, K), row n at first_frame + n, and rest
    `fade_frames` before the first and after the last row."""
    action = bpy.data.actions.new(name)
    action[PROVENANCE] = dict(provenance)
    curves = blender_compat.new_curves(action, "KEY")
    count = len(values)
    frames = np.concatenate([[-fade_frames], np.arange(count), [count - 1 + fade_frames]])
    points = np.zeros((count + 2, 2), dtype=np.float32)
    points[:, 0] = frames + first_frame
    for column, key_name in enumerate(key_names):
        points[1:-1, 1] = values[:, column]
        path = f'key_blocks["{bpy.utils.escape_identifier(key_name)}"].value'
        _fill(curves.new(path), points)
    return action


def _fill(curve: bpy.types.FCurve, points: npt.NDArray[np.float32]) -> None:
    """Keyframes (N, 2) frame and value, linear between: every frame has its own."""
    curve.keyframe_points.add(len(points))
    curve.keyframe_points.foreach_set("co", points.ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(points), _LINEAR, np.int32))
    curve.update()


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


def place(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack) -> None:
    """Let the new action play beside everything that is there; see the top of this file."""
    had_data = keys.animation_data is not None
    data = keys.animation_data_create()
    if not had_data:
        undo.callback(keys.animation_data_clear)
    earlier = data.action
    if earlier is None and not data.nla_tracks:
        _assign(data, action, undo)
    elif earlier is not None and is_ours(earlier):
        _add_track(data, earlier, undo)
        _assign(data, action, undo)
    else:
        _add_track(data, action, undo)


def is_ours(action: bpy.types.Action) -> bool:
    """Whether an operator of this add-on made the action."""
    return PROVENANCE in action


def actions_on(keys: bpy.types.Key) -> Iterator[tuple[bpy.types.Action, float, float]]:
    """Our actions that play on these shape keys, each with its first and last frame."""
    data = keys.animation_data
    if data is None:
        return
    if data.action is not None and is_ours(data.action):
        yield data.action, *data.action.frame_range
    for track in data.nla_tracks:
        for strip in track.strips:
            if strip.action is not None and is_ours(strip.action):
                yield strip.action, strip.frame_start, strip.frame_end


def mute_takes_within(keys: bpy.types.Key, first_frame: int, last_frame: int,
                      undo: ExitStack) -> None:
    """Mute the keys of our earlier takes that overlap these frames, so that motion is not doubled.
    Ranges include the fade to rest; lines that only meet in it are neighbours, not takes."""
    names = [name for action, start, end in actions_on(keys)
             if min(end, last_frame) - max(start, first_frame) > _meeting_frames(action)
             for name in _key_names(action)]
    for name in names:
        key = keys.key_blocks.get(name)
        if key is not None and not key.mute:
            key.mute = True
            undo.callback(setattr, key, "mute", False)


def _meeting_frames(action: bpy.types.Action) -> int:
    return 2 * int(action[PROVENANCE].get("fade_frames", 0))


def _key_names(action: bpy.types.Action) -> list[str]:
    """Names of the shape keys an action of ours drives."""
    paths = (curve.data_path for curve in blender_compat.curves_of(action))
    quoted = (path.split('"', 1)[1].rpartition('"')[0] for path in paths
              if path.startswith('key_blocks["'))
    return [bpy.utils.unescape_identifier(name) for name in quoted]


def _assign(data: bpy.types.AnimData, action: bpy.types.Action, undo: ExitStack) -> None:
    earlier = data.action
    undo.callback(setattr, data, "action", earlier)
    data.action = action
    blender_compat.set_slot(data, action)


def _add_track(data: bpy.types.AnimData, action: bpy.types.Action, undo: ExitStack) -> None:
    track = data.nla_tracks.new()
    undo.callback(data.nla_tracks.remove, track)
    track.name = action.name
    start = int(action.frame_range[0])
    strip = track.strips.new(action.name, start, action)
    blender_compat.set_slot(strip, action)
    strip.extrapolation = "HOLD"
