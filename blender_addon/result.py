"""What Soliloquy made on a face, kept on its shape keys: the takes, and the layer of blinks.

Every take is an Action; the list holds pointers, so that a take that does not play is saved, too.
"""

import zlib
from collections.abc import Iterator
from contextlib import ExitStack

import bpy
import numpy as np
import numpy.typing as npt

from . import keyframes, properties
from ._backend import motion

# The closing of both eyes for this mesh, float32 (V, 3), packed: blinks can then be made at any
# time, also in a file whose pack is not installed here.
_BLINK = "soliloquy_blink"
_CODES = "soliloquy_codes"


class SoliloquyTake(bpy.types.PropertyGroup):  # type: ignore[misc]
    """One take of a face; its Action is None once the artist has deleted that."""

    action: bpy.props.PointerProperty(type=bpy.types.Action)  # type: ignore[valid-type]


class FaceResult(bpy.types.PropertyGroup):  # type: ignore[misc]
    """Key.soliloquy: what was made on these shape keys."""

    takes: bpy.props.CollectionProperty(type=SoliloquyTake)  # type: ignore[valid-type]
    chosen: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Take", description="The take that sliders and tools act on")
    blinks: bpy.props.PointerProperty(type=bpy.types.Action)  # type: ignore[valid-type]
    blink_interval_s: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Every", default=4.0, min=1.0, max=30.0, subtype="TIME_ABSOLUTE",
        description="Mean time from blink to blink in seconds; each interval varies about it")
    blink_seed: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Seed", min=0, description="Another number gives other moments")


def of(face: bpy.types.Object | None) -> bpy.types.Key | None:
    """The shape keys of a face that has takes, or None."""
    keys = face.data.shape_keys if face is not None and face.type == "MESH" else None
    return keys if keys is not None and any(actions(keys)) else None


def of_panel(context: bpy.types.Context) -> bpy.types.Key | None:
    """The shape keys with takes of the face that the panel is about, or None."""
    return of(properties.chosen_face(context))


def actions(keys: bpy.types.Key) -> Iterator[bpy.types.Action]:
    """The takes' actions that still exist, in the order of the list."""
    return (take.action for take in keys.soliloquy.takes if keyframes.is_ours(take.action))


def chosen(keys: bpy.types.Key) -> bpy.types.Action | None:
    """The action of the take chosen in the list, or None."""
    takes, index = keys.soliloquy.takes, keys.soliloquy.chosen
    action = takes[index].action if 0 <= index < len(takes) else None
    return action if keyframes.is_ours(action) else None


def add(keys: bpy.types.Key, action: bpy.types.Action, undo: ExitStack) -> None:
    """Add a take to the end of the list."""
    takes = keys.soliloquy.takes
    takes.add().action = action
    undo.callback(takes.remove, len(takes) - 1)


def choose(keys: bpy.types.Key, action: bpy.types.Action) -> None:
    """Make a take the list's chosen one."""
    for index, take in enumerate(keys.soliloquy.takes):
        if take.action == action:
            keys.soliloquy.chosen = index


def store_blink(keys: bpy.types.Key, blink: npt.NDArray[np.float32]) -> None:
    """Keep the closing of both eyes, (V, 3) in mesh units."""
    # Blender writes bytes over bytes as text, and cuts them at the first zero.
    keys.pop(_BLINK, None)
    keys[_BLINK] = zlib.compress(np.ascontiguousarray(blink, dtype="<f4").tobytes())


def stored_blink(keys: bpy.types.Key) -> npt.NDArray[np.float32] | None:
    """The closing of both eyes (V, 3) in mesh units, or None where no pack has told it."""
    if _BLINK not in keys:
        return None
    return np.frombuffer(zlib.decompress(keys[_BLINK]), dtype="<f4").reshape(-1, 3)


def knows_blink(keys: bpy.types.Key) -> bool:
    """Whether there is a stored blink."""
    return _BLINK in keys


def store_codes(action: bpy.types.Action, codes: motion.Codes) -> None:
    """Keep what a take was decoded from, so that a part of it can be made again."""
    action[_CODES] = {"pack": codes.pack, "frames": len(codes.numbers),
                      "numbers": codes.numbers.astype("<u2").tobytes()}


def stored_codes(action: bpy.types.Action) -> motion.Codes | None:
    """What a take was decoded from, or None where it does not say."""
    stored = action.get(_CODES)
    if stored is None:
        return None
    numbers = np.frombuffer(stored["numbers"], dtype="<u2").reshape(stored["frames"], -1)
    return motion.Codes(numbers.astype(np.uint16), stored["pack"])


def forget_all(keys: bpy.types.Key) -> None:
    """Empty the list and drop what is stored beside it."""
    keys.soliloquy.takes.clear()
    keys.pop(_BLINK, None)


CLASSES = (SoliloquyTake, FaceResult)
