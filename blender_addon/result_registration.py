"""What Blender is told about results: classes, and the properties they put on data-blocks."""

import bpy

from . import again, blink_layer, result, result_panel, result_tools, sliders, take_list
from .exports import menu

CLASSES = (*sliders.CLASSES, *result.CLASSES, *blink_layer.CLASSES, *take_list.CLASSES,
           *again.CLASSES, *result_tools.CLASSES, *menu.CLASSES, *result_panel.CLASSES)


def attach() -> None:
    """Give shape keys and Actions their properties, once the classes are registered."""
    bpy.types.Action.soliloquy_sliders = bpy.props.PointerProperty(type=sliders.SoliloquySliders)
    bpy.types.Key.soliloquy = bpy.props.PointerProperty(type=result.FaceResult)


def detach() -> None:
    """Undo `attach`."""
    del bpy.types.Key.soliloquy
    del bpy.types.Action.soliloquy_sliders
