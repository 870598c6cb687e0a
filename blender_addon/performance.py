"""What plays on a face, read back from its keys and curves as arrays: how its mouth moves and how
far its own motion shuts the eyes."""

from typing import NamedTuple

import bpy
import numpy as np
import numpy.typing as npt

from . import keyframes, placing, shape_keys

Floats = npt.NDArray[np.float32]


class Performance(NamedTuple):
    """From `first_frame` on, a row per frame: the lower face's speed (T,) in mesh units a frame,
    and the closure (T,) of the lids, 0 at rest and 1 shut."""

    first_frame: int
    speed: Floats
    closure: Floats


def read(keys: bpy.types.Key, blink: Floats) -> Performance:
    """The performance of all takes that play; `blink` (V, 3) is the closing of both eyes."""
    takes = placing.takes_playing(keys)
    first = int(min(take.first_frame for take in takes))
    frames = np.arange(first, int(max(take.last_frame for take in takes)) + 1)
    rest = shape_keys.places_of(keys.reference_key)
    squares, closure = np.zeros(len(frames)), np.zeros(len(frames))
    for take in takes:
        for curve in keyframes.our_curves(take.action):
            key = keys.key_blocks.get(keyframes.key_name(curve))
            if key is None:
                continue
            values = keyframes.sampled(curve, take.own_frames(frames))
            shape = shape_keys.places_of(key) - rest
            if curve.group.name == keyframes.UPPER:
                closure += values * float(np.vdot(shape, blink) / np.vdot(blink, blink))
            else:
                size = float(np.linalg.norm(shape, axis=1).max())
                squares += np.square(np.gradient(values) * size)
    return Performance(first, np.sqrt(squares).astype(np.float32), closure.astype(np.float32))
