"""Everything of ours that plays on a face, flattened into one Action: sliders, smoothing, blinks,
strips that were moved or slowed down."""

from contextlib import ExitStack
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import keyframes, placing, result

Floats = npt.NDArray[np.float32]


def bake(keys: bpy.types.Key, undo: ExitStack) -> bpy.types.Action:
    """A new Action that plays alone what played before, a keyframe on every frame; the takes stay
    in the list, and the layer of blinks goes into it."""
    playing = list(placing.playing(keys))
    facts = dict(playing[0].action[keyframes.PROVENANCE].to_dict())
    first, last = frame_range(playing)
    frames = np.arange(first, last + 1)
    values = sampled(playing, frames)
    action = keyframes.new_action(
        "Soliloquy Baked", list(values), frames, np.stack(list(values.values()), axis=1),
        {**facts, "baked": ", ".join(found.action.name for found in playing),
         "first_frame": first, "last_frame": last, "fade_frames": 0})
    undo.callback(bpy.data.actions.remove, action)
    for found in placing.takes_playing(keys):
        placing.switch_off(keys, found.action, undo)
    blinks = keys.soliloquy.blinks
    if any(found.action == blinks for found in playing):
        placing.remove_strips(keys, blinks)
        bpy.data.actions.remove(blinks)
    placing.switch_on(keys, action, undo)
    result.add(keys, action, undo)
    result.choose(keys, action)
    return action


def frame_range(playing: list[placing.Playing]) -> tuple[int, int]:
    """First and last whole frame of what plays."""
    return (int(np.floor(min(found.first_frame for found in playing))),
            int(np.ceil(max(found.last_frame for found in playing))))


def sampled(playing: list[placing.Playing],
            frames: npt.NDArray[Any]) -> dict[tuple[str, str], Floats]:
    """The values (N,) at frames (N,) of the scene of every shape key of ours that moves, by its
    name and channel group. Lines that use the same key add up: each rests where the other plays."""
    values: dict[tuple[str, str], Floats] = {}
    for found in playing:
        own_frames, influence = found.own_frames(frames), found.influence(frames)
        for curve in keyframes.our_curves(found.action):
            if curve.mute:
                continue
            column = (keyframes.key_name(curve), str(curve.group.name))
            given = keyframes.sampled(curve, own_frames) * influence
            values[column] = values[column] + given if column in values else given
    return values
