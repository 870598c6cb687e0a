"""A new take from two: the mouth of one, the brows of another."""

from contextlib import ExitStack
from typing import Any

import bpy
import numpy as np

from . import blender_compat, keyframes, placing, result

_PER_KEY = (("co", 2, np.float32), ("handle_left", 2, np.float32),
            ("handle_right", 2, np.float32), ("interpolation", 1, np.int32),
            ("easing", 1, np.int32), ("handle_left_type", 1, np.int32),
            ("handle_right_type", 1, np.int32))


def mix(keys: bpy.types.Key, lower: bpy.types.Action, upper: bpy.types.Action,
        undo: ExitStack) -> bpy.types.Action:
    """A take with the lower face of one and the upper of another, as they are now; it plays where
    the first does."""
    action = bpy.data.actions.new(f"{lower.name} + {seed_of(upper)}")
    undo.callback(bpy.data.actions.remove, action)
    action[keyframes.PROVENANCE] = {
        **lower[keyframes.PROVENANCE].to_dict(), "seed_upper": seed_of(upper)}
    holder = blender_compat.new_curves(action, "KEY")
    for source, group in ((lower, keyframes.LOWER), (upper, keyframes.UPPER)):
        for curve in keyframes.our_curves(source, (group,)):
            copy_curve(curve, holder)
    sliders, low, high = (each.soliloquy_sliders for each in (action, lower, upper))
    sliders.lower, sliders.upper = low.lower, high.upper
    first, last = placing.place(keys, lower)
    placing.switch_off_within(keys, first, last, undo)
    placing.switch_on(keys, action, undo, lower)
    result.add(keys, action, undo)
    result.choose(keys, action)
    return action


def copy_curve(curve: bpy.types.FCurve, holder: Any) -> bpy.types.FCurve:
    """The same keyframes in another action; modifiers stay behind."""
    made = keyframes.new_curve(holder, keyframes.key_name(curve), curve.group.name)
    count = len(curve.keyframe_points)
    made.keyframe_points.add(count)
    for name, size, kind in _PER_KEY:
        values = np.empty(count * size, dtype=kind)
        curve.keyframe_points.foreach_get(name, values)
        made.keyframe_points.foreach_set(name, values)
    made.extrapolation = curve.extrapolation
    made.update()
    return made


def seed_of(action: bpy.types.Action) -> str:
    """A take's seed in words, such as '5', or '5+7' for a mix."""
    facts = action[keyframes.PROVENANCE]
    return "+".join(str(facts[name]) for name in ("seed", "seed_upper") if name in facts)
