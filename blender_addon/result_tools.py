"""Buttons for a finished result: bake, push down, clear."""

from contextlib import ExitStack
from typing import Any

import bpy

from . import (
    again,
    baking,
    caches,
    disabled_reason,
    keyframes,
    placing,
    properties,
    removal,
    result,
)
from .take_list import OnTakes
from .words import translated

_Result = set[str]


class SOLILOQUY_OT_bake(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Flatten takes, sliders and blinks into one Action with a keyframe on every frame"""

    bl_idname = "soliloquy.bake"
    bl_label = "Bake to One Action"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """Something must play."""
        reason = super().disabled_reason(context)
        keys = result.of_panel(context)
        if reason or keys is None or placing.takes_playing(keys):
            return reason
        return "No take plays: switch one on in the list"

    def execute(self, context: bpy.types.Context) -> _Result:
        """Bake what plays."""
        keys = self.settled(context)
        with ExitStack() as undo:
            action = baking.bake(keys, undo)
            undo.pop_all()
        self.report({"INFO"}, translated(
            "Baked into '{action}'; the takes are still in the list", action=action.name))
        return {"FINISHED"}


class SOLILOQUY_OT_push_down(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Move the take that is assigned into an NLA track of its own"""

    bl_idname = "soliloquy.push_down"
    bl_label = "Push Down to NLA"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """A take must be assigned."""
        reason = super().disabled_reason(context)
        keys = result.of_panel(context)
        if reason or keys is None:
            return reason
        data = keys.animation_data
        if data is None or not keyframes.is_ours(data.action):
            return "No take is assigned: it is in the NLA already, or none plays"
        return ""

    def execute(self, context: bpy.types.Context) -> _Result:
        """Push it down."""
        with ExitStack() as undo:
            placing.push_down(self.settled(context), undo)
            undo.pop_all()
        return {"FINISHED"}


class SOLILOQUY_OT_clear(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Remove all that Soliloquy made on this face, and nothing else"""

    bl_idname = "soliloquy.clear"
    bl_label = "Clear"

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be something to remove."""
        face = properties.chosen_face(context)
        reason = disabled_reason.for_job() or disabled_reason.for_face(face)
        some = result.of(face) is not None or caches.on(face)
        return reason or ("" if some else "This face has no takes yet")

    def execute(self, context: bpy.types.Context) -> _Result:
        """Remove takes, blinks, their keys and strips."""
        face = properties.chosen_face(context)
        caches.remove_all(face)
        if result.of(face) is not None:
            keys = self.settled(context)
            with ExitStack() as undo:
                for found in list(placing.playing(keys)):
                    placing.switch_off(keys, found.action, undo)
                undo.pop_all()
            removal.all_of(face)
        return {"FINISHED"}


def draw(layout: Any) -> None:
    """The buttons, the one that deletes apart from the others."""
    again.draw(layout)
    column = layout.column(align=True)
    column.operator("soliloquy.bake", icon="ACTION")
    column.operator("soliloquy.push_down", icon="NLA_PUSHDOWN")
    layout.operator("soliloquy.clear", icon="TRASH")


CLASSES = (SOLILOQUY_OT_bake, SOLILOQUY_OT_push_down, SOLILOQUY_OT_clear)
