"""Blinks as a layer of their own: one shape key, one Action, one NLA track. Deleting the layer
leaves the performance as it was; the keyframes are few and made to be moved."""

from contextlib import ExitStack
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import (
    audio_source,
    blender_compat,
    blinks,
    disabled_reason,
    keyframes,
    ownership,
    performance,
    placing,
    properties,
    result,
    shape_keys,
)
from ._backend import errors
from .words import translated

KEY_NAME = "Soliloquy blink"
_BEZIER, _AUTO_CLAMPED = 2, 4
_Result = set[str]


def add(face: bpy.types.Object, fps: float) -> int:
    """Lay blinks over what plays on a face, instead of those of an earlier press; how many. Raises
    RequestError where the mesh is another by now."""
    keys = face.data.shape_keys
    blink = result.stored_blink(keys)
    assert blink is not None  # the button is grey without it
    if len(blink) != len(face.data.vertices):
        raise errors.RequestError("face_changed", f"'{face.name}' has {len(face.data.vertices)} "
                                  f"vertices, {len(blink)} when it was animated.",
                                  "Animate it again.")
    remove(face)
    seen = performance.read(keys, blink)
    settings = keys.soliloquy
    manner = blinks.Manner(settings.blink_interval_s, settings.blink_seed)
    made = blinks.blinks(len(seen.speed) / fps, blinks.quiet_spans(seen.speed, fps),
                         blinks.shut_moments(seen.closure, fps), manner)
    points = blinks.keyframes(made, seen.closure, fps)
    points[:, 0] += seen.first_frame
    if made:
        with ExitStack() as undo:
            _write(face, blink, points, manner, undo)
            undo.pop_all()
    return len(made)


def remove(face: bpy.types.Object) -> None:
    """Take the layer away: its track, its Action and its shape key."""
    keys = face.data.shape_keys
    action = keys.soliloquy.blinks
    if action is not None:
        placing.remove_strips(keys, action)
        bpy.data.actions.remove(action)
    key = keys.key_blocks.get(KEY_NAME)
    if key is not None:
        face.shape_key_remove(key)


def _write(face: bpy.types.Object, blink: npt.NDArray[np.float32],
           points: npt.NDArray[np.float32], manner: blinks.Manner, undo: ExitStack) -> None:
    active = face.active_shape_key_index
    places = shape_keys.read_mesh(face).rest + blink
    name = shape_keys.add_key(face, KEY_NAME, places, undo)
    face.active_shape_key_index = active
    action = _action(name, points, manner)
    undo.callback(bpy.data.actions.remove, action)
    keys = face.data.shape_keys
    placing.add_track(keys, action, undo)
    keys.soliloquy.blinks = action


def _action(key_name: str, points: npt.NDArray[np.float32],
            manner: blinks.Manner) -> bpy.types.Action:
    action = bpy.data.actions.new("Soliloquy Blinks")
    action[keyframes.PROVENANCE] = {"layer": "blinks", "seed": manner.seed,
                                    "interval_s": manner.interval_s}
    curve = keyframes.new_curve(blender_compat.new_curves(action, "KEY"), key_name,
                                keyframes.BLINK)
    keyframes.fill(curve, points)
    # Eased, and without overshoot, so that shut is shut.
    for name, value in (("interpolation", _BEZIER), ("handle_left_type", _AUTO_CLAMPED),
                        ("handle_right_type", _AUTO_CLAMPED)):
        curve.keyframe_points.foreach_set(name, np.full(len(points), value, np.int32))
    curve.update()
    return action


class SOLILOQUY_OT_add_blinks(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Lay blinks over the performance, at its pauses: an NLA track and a shape key of their own"""

    bl_idname = "soliloquy.add_blinks"
    bl_label = "Add Blinks"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be a take that plays, and its pack must know how the eyes close."""
        face = properties.chosen_face(context)
        reason = disabled_reason.for_job() or disabled_reason.for_face(face)
        keys = result.of(face)
        if reason or keys is None or not placing.takes_playing(keys):
            return reason or "Animate the face first: blinks follow its performance"
        if not result.knows_blink(keys):
            return "The model that made this take does not know how these eyes close"
        return ""

    def execute(self, context: bpy.types.Context) -> _Result:
        """Add them, or add them anew."""
        face = properties.chosen_face(context)
        ownership.settle(face.data.shape_keys)
        try:
            count = add(face, audio_source.scene_fps(context.scene))
        except errors.RequestError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self.report({"INFO"}, translated("{count} blinks", count=count) if count
                    else "The line is too short for a blink")
        return {"FINISHED"}


class SOLILOQUY_OT_remove_blinks(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Take the blinks away; the performance stays as it is"""

    bl_idname = "soliloquy.remove_blinks"
    bl_label = "Remove Blinks"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be blinks, and the face must be free to change."""
        reason = disabled_reason.for_job() or disabled_reason.for_face(
            properties.chosen_face(context))
        keys = result.of_panel(context)
        some = keys is not None and keys.soliloquy.blinks is not None
        return reason or ("" if some else "This face has no blinks")

    def execute(self, context: bpy.types.Context) -> _Result:
        """Remove the layer."""
        face = properties.chosen_face(context)
        ownership.settle(face.data.shape_keys)
        remove(face)
        return {"FINISHED"}


def draw(layout: Any, keys: bpy.types.Key) -> None:
    """The layer's settings and buttons."""
    column = layout.column(align=True)
    column.prop(keys.soliloquy, "blink_interval_s")
    column.prop(keys.soliloquy, "blink_seed")
    if keys.soliloquy.blinks is not None:
        column.prop(keys.soliloquy.blinks.soliloquy_sliders, "blink", slider=True)
    row = layout.row(align=True)
    row.operator("soliloquy.add_blinks",
                 text="Renew" if keys.soliloquy.blinks else "Add Blinks", icon="HIDE_OFF")
    row.operator("soliloquy.remove_blinks", text="", icon="X")


CLASSES = (SOLILOQUY_OT_add_blinks, SOLILOQUY_OT_remove_blinks)
