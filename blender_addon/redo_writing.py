"""A redone part -> a new take: a copy of the old one with other values in the marked frames."""

from contextlib import ExitStack
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import (
    blender_compat,
    closures,
    emotion_strength,
    keyframes,
    placing,
    result,
    shape_keys,
)
from .redoing import Known, Redone

Floats = npt.NDArray[np.float32]


def columns_of(action: bpy.types.Action) -> list[tuple[str, str]]:
    """Shape key and channel group of a take's curves, the lower face's first."""
    return [(keyframes.key_name(curve), group) for group in (keyframes.LOWER, keyframes.UPPER)
            for curve in keyframes.our_curves(action, (group,))]


def known_of(keys: bpy.types.Key, columns: list[tuple[str, str]]) -> Known:
    """The shapes of a take's keys; an empty one stands for a key that the artist has deleted."""
    rest = shape_keys.places_of(keys.reference_key)
    shapes = [shape_keys.places_of(key) - rest if (key := keys.key_blocks.get(name)) else rest * 0
              for name, _group in columns]
    lower = sum(group == keyframes.LOWER for _name, group in columns)
    return Known(np.stack(shapes), lower)


def write(face: bpy.types.Object, old: bpy.types.Action, redone: Redone, fps: float,
          facts: dict[str, Any]) -> bpy.types.Action:
    """Add the take with the redone part to the face and let it play instead of the old one."""
    keys = face.data.shape_keys
    with ExitStack() as undo:
        action = old.copy()
        undo.callback(bpy.data.actions.remove, action)
        action.name = f"{old.name} redone"
        action[keyframes.PROVENANCE] = {**old[keyframes.PROVENANCE].to_dict(), **facts}
        result.store_codes(action, redone.codes)
        played = _as_made(action)
        at = _Times(redone, float(action[keyframes.PROVENANCE]["placed_at"]), fps)
        _rewrite(action, redone, at)
        _add_further(face, action, redone, at, undo)
        emotion_strength.forget(action, lambda frames: at.read(redone.share, frames))
        for name, value in played.items():
            setattr(action.soliloquy_sliders, name, value)
        placing.switch_off(keys, old, undo)
        placing.switch_on(keys, action, undo, old)
        result.add(keys, action, undo)
        undo.pop_all()
    result.choose(keys, action)
    return action


def _as_made(action: bpy.types.Action) -> dict[str, float]:
    """Let a take play what was made; returns how it played, by the sliders that rewrite keys."""
    sliders = action.soliloquy_sliders
    played = {"smoothing_ms": sliders.smoothing_ms, "emotion": sliders.emotion}
    sliders.smoothing_ms, sliders.emotion = 0.0, 1.0
    return played


class _Times:
    """Rows of the redone part, nothing before and after them, read at frames of the scene."""

    def __init__(self, redone: Redone, placed_at: float, fps: float) -> None:
        self._first, self._placed_at, self._shut = redone.first_row - 1, placed_at, redone.shut
        self._rate = redone.fps / fps
        self._rows = len(redone.share) + 2

    def read(self, rows: Floats, frames: npt.NDArray[Any]) -> Floats:
        """Rows (R,) at frames (N,); 0 outside."""
        place = closures.shown((frames - self._placed_at) * self._rate, self._shut) - self._first
        return np.interp(place, np.arange(self._rows), np.pad(rows, 1)).astype(np.float32)

    def frames(self) -> npt.NDArray[np.int64]:
        """The whole frames of the scene from the last untouched one to the next."""
        first = self._first / self._rate + self._placed_at
        last = (self._first + self._rows - 1) / self._rate + self._placed_at
        return np.arange(int(np.floor(first)), int(np.ceil(last)) + 1)


def _rewrite(action: bpy.types.Action, redone: Redone, at: _Times) -> None:
    column = {name: number for number, (name, _group) in enumerate(columns_of(action))}
    for curve in keyframes.our_curves(action, (keyframes.LOWER, keyframes.UPPER)):
        points = keyframes.points_of(curve)
        share = at.read(redone.share, points[:, 0])
        new = at.read(redone.values[:, column[keyframes.key_name(curve)]], points[:, 0])
        points[:, 1] = np.where(share > 0, points[:, 1] * (1 - share) + new, points[:, 1])
        curve.keyframe_points.foreach_set("co", points.ravel())
        curve.update()


def _add_further(face: bpy.types.Object, action: bpy.types.Action, redone: Redone, at: _Times,
                 undo: ExitStack) -> None:
    """Keys and curves for what the take's own keys cannot show."""
    if not len(redone.shapes):
        return
    names = shape_keys.add_keys(face, {"lower": redone.shapes[:redone.lower],
                                       "upper": redone.shapes[redone.lower:]}, undo)
    holder, frames = blender_compat.holders_of(action)[0], at.frames()
    pairs = [(name, group) for kind, group in (("lower", keyframes.LOWER),
                                               ("upper", keyframes.UPPER)) for name in names[kind]]
    for number, (name, group) in enumerate(pairs):
        values = at.read(redone.extra[:, number], frames)
        keyframes.fill(keyframes.new_curve(holder, name, group),
                       np.stack([frames, values], axis=1).astype(np.float32))
