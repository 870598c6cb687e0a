"""Values over time -> F-curves of a new Action, in channel groups by the part of the face.

A group's name is what tells our curves from those an artist adds to the same Action, and which
slider moves them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import blender_compat

PROVENANCE = "soliloquy"
LOWER, UPPER, WHOLE, BLINK = "Lower Face", "Upper Face", "Face", "Blink"
GROUPS = (LOWER, UPPER, WHOLE, BLINK)
_LINEAR = 1
# Keyframes that are stretched may snap to whole frames.
_SNAPPED_FRAMES = 0.51


def new_action(name: str, columns: Sequence[tuple[str, str]], frames: npt.NDArray[Any],
               values: npt.NDArray[np.float32], provenance: Mapping[str, Any]) -> bpy.types.Action:
    """A new Action with one curve per column (shape key, group); values (N, K) at frames (N,)."""
    action = bpy.data.actions.new(name)
    action[PROVENANCE] = dict(provenance)
    holder = blender_compat.new_curves(action, "KEY")
    points = np.zeros((len(frames), 2), dtype=np.float32)
    points[:, 0] = frames
    for column, (key_name, group) in enumerate(columns):
        points[:, 1] = values[:, column]
        fill(new_curve(holder, key_name, group), points)
    return action


def new_sparse_action(name: str, key_names: Sequence[str], group: str,
                      points: Sequence[npt.NDArray[np.float32]],
                      provenance: Mapping[str, Any]) -> bpy.types.Action:
    """A new Action with one curve per key, each with keyframes (N, 2) of its own."""
    action = bpy.data.actions.new(name)
    action[PROVENANCE] = dict(provenance)
    holder = blender_compat.new_curves(action, "KEY")
    for key_name, rows in zip(key_names, points, strict=True):
        fill(new_curve(holder, key_name, group), rows)
    return action


def new_curve(holder: Any, key_name: str, group: str) -> bpy.types.FCurve:
    """An empty curve for a shape key's value, in a channel group, which is made if need be."""
    curve = holder.fcurves.new(data_path(key_name))
    curve.group = holder.groups.get(group) or holder.groups.new(group)
    return curve


def data_path(key_name: str) -> str:
    """Where a shape key's value is found from its data-block."""
    return f'key_blocks["{bpy.utils.escape_identifier(key_name)}"].value'


def fill(curve: bpy.types.FCurve, points: npt.NDArray[np.float32]) -> None:
    """Keyframes (N, 2) frame and value, linear between: every frame has its own."""
    curve.keyframe_points.add(len(points))
    curve.keyframe_points.foreach_set("co", points.ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(points), _LINEAR, np.int32))
    curve.update()


def overlapping(one: Any, other: Any) -> bool:
    """Whether two takes, by their facts, are of the same line: more than their fades meet."""
    last = min(one["last_frame"] + one["fade_frames"], other["last_frame"] + other["fade_frames"])
    first = max(one["first_frame"] - one["fade_frames"],
                other["first_frame"] - other["fade_frames"])
    return bool(last - first > 2 * one["fade_frames"])


def with_rest(frames: npt.NDArray[Any], values: npt.NDArray[np.float32],
              fade_frames: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
    """Frames (N,) and values (N, K) with rest `fade_frames` before the first and after the last,
    so that an Action that is held adds nothing outside its line."""
    rest = np.zeros((1, values.shape[1]), dtype=np.float32)
    around = [frames[0] - fade_frames, *frames, frames[-1] + fade_frames]
    return np.asarray(around), np.concatenate([rest, values, rest])


def sampled(curve: bpy.types.FCurve, frames: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """What a curve of ours gives at frames (N,) of its action, modifiers included."""
    if len(curve.modifiers) or not is_linear(curve):
        return np.array([curve.evaluate(frame) for frame in frames], dtype=np.float32)
    points = points_of(curve)
    return np.interp(frames, points[:, 0], points[:, 1]).astype(np.float32)


def is_linear(curve: bpy.types.FCurve) -> bool:
    """Whether there are only straight lines between its keyframes, as we make them."""
    kinds = np.empty(len(curve.keyframe_points), dtype=np.int32)
    curve.keyframe_points.foreach_get("interpolation", kinds)
    return bool((kinds == _LINEAR).all())


def points_of(curve: bpy.types.FCurve) -> npt.NDArray[np.float32]:
    """Keyframes (N, 2): frame and value."""
    flat = np.empty(len(curve.keyframe_points) * 2, dtype=np.float32)
    curve.keyframe_points.foreach_get("co", flat)
    return flat.reshape(-1, 2)


def frames_of(stored: npt.NDArray[Any], frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Where keyframes at frames (N,) were among stored frames (M,): those themselves where all
    keyframes were moved or stretched together since, else where they are."""
    if len(frames) != len(stored) or len(frames) < 2 or stored[-1] <= stored[0]:
        return frames
    scale = (frames[-1] - frames[0]) / (stored[-1] - stored[0])
    together = frames[0] + (stored - stored[0]) * scale
    return stored if np.allclose(frames, together, rtol=0, atol=_SNAPPED_FRAMES) else frames


def by_curve(stored: Mapping[str, Any], curves: Sequence[bpy.types.FCurve]) -> dict[str, Any]:
    """What is stored by data path for curves, by their paths now; in order where shape keys were
    renamed since."""
    found = {curve.data_path: stored[curve.data_path] for curve in curves
             if curve.data_path in stored}
    lost = [path for path in stored if path not in found]
    new = [curve.data_path for curve in curves if curve.data_path not in found]
    if len(lost) == len(new):
        found |= {path: stored[old] for path, old in zip(new, lost, strict=True)}
    return found


def is_ours(action: bpy.types.Action | None) -> bool:
    """Whether an operator of this add-on made the action."""
    return action is not None and PROVENANCE in action


def our_curves(action: bpy.types.Action, groups: Sequence[str] = GROUPS) -> list[Any]:
    """The curves of an action that we made, not the artist; those of some groups alone."""
    return [curve for curve in blender_compat.curves_of(action)
            if curve.group is not None and curve.group.name in groups]


def only_ours(action: bpy.types.Action) -> bool:
    """Whether the artist has added no curve of their own."""
    return len(our_curves(action)) == len(blender_compat.curves_of(action))


def frame_range(action: bpy.types.Action) -> tuple[float, float]:
    """First and last keyframe of our curves, what the artist added may go beyond; the action's own
    where none of ours is left."""
    ranges = [curve.range() for curve in our_curves(action)] or [action.frame_range]
    return float(min(first for first, _ in ranges)), float(max(last for _, last in ranges))


def key_name(curve: bpy.types.FCurve) -> str:
    """The shape key that a curve drives, or '' when it drives something else."""
    path = str(curve.data_path)
    if not path.startswith('key_blocks["'):
        return ""
    return str(bpy.utils.unescape_identifier(path.split('"', 1)[1].rpartition('"')[0]))


def key_names(action: bpy.types.Action) -> list[str]:
    """Names of the shape keys that our curves in an action drive."""
    return [name for curve in our_curves(action) if (name := key_name(curve))]
