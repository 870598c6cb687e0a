"""Sub-panels for what was made: takes, sliders, blinks, tools. Draws only."""

from typing import Any

import bpy

from . import blink_layer, caches, properties, result, result_tools, take_list
from .exports import menu
from .sub_panel import SubPanel, split
from .wrapping import wrapped


class _Result(SubPanel):

    def draw(self, context: bpy.types.Context) -> None:
        """The part's fields, or what to do first."""
        layout = split(self.layout)  # type: ignore[attr-defined]
        face = properties.chosen_face(context)
        keys, stored = result.of(face), caches.on(face)
        if keys is not None:
            self.draw_result(layout, keys)
        if stored:
            self.draw_caches(layout, face)
        if keys is None and not stored:
            layout.label(text="This face has no takes yet")

    def draw_caches(self, layout: Any, face: bpy.types.Object) -> None:
        """What a part shows of a face with point caches."""

    def draw_result(self, layout: Any, keys: bpy.types.Key) -> None:
        """What a part shows of a face with takes."""
        raise NotImplementedError


class _Takes(_Result):
    bl_label = "Takes"

    def draw_result(self, layout: Any, keys: bpy.types.Key) -> None:
        """The list, and the chosen take's sliders."""
        take_list.draw(layout, keys)

    def draw_caches(self, layout: Any, face: bpy.types.Object) -> None:
        """The caches, each with its switch."""
        caches.draw(layout, face)


class _Blinks(_Result):
    bl_label = "Blinks"

    def draw_result(self, layout: Any, keys: bpy.types.Key) -> None:
        """The blinks' settings and buttons."""
        blink_layer.draw(layout, keys)
        if not result.knows_blink(keys):
            for line in wrapped("The model does not know how these eyes close"):
                layout.label(text=line)


class _Tools(_Result):
    bl_label = "Result"

    def draw_result(self, layout: Any, keys: bpy.types.Key) -> None:
        """What can be done with it."""
        result_tools.draw(layout)
        menu.draw(layout)

    def draw_caches(self, layout: Any, face: bpy.types.Object) -> None:
        """Only Clear, where nothing else can be done."""
        if result.of(face) is None:
            layout.operator("soliloquy.clear", icon="TRASH")


def _both(part: type[_Result], name: str) -> tuple[type[bpy.types.Panel], ...]:
    """The panel in the 3D View's and in the Sequencer's sidebar."""
    return tuple(
        type(f"SOLILOQUY_PT_{place}_{name}", (part, bpy.types.Panel),
             {"bl_space_type": space, "bl_parent_id": f"SOLILOQUY_PT_{place}"})
        for place, space in (("view", "VIEW_3D"), ("sequencer", "SEQUENCE_EDITOR")))


CLASSES = (*_both(_Takes, "takes"), *_both(_Blinks, "blinks"), *_both(_Tools, "result"))
