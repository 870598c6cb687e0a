"""Everything Blender is told about, in order."""

import bpy

from . import (
    cast,
    emotion_hearing,
    emotion_panel,
    face_facts,
    face_panel,
    menus,
    operators,
    pack_operators,
    panels,
    preferences,
    properties,
    result_registration,
    self_test,
    session,
)
from .head import add_head

CLASSES = (
    preferences.SoliloquyPreferences,
    properties.SoliloquySettings,
    properties.FaceSettings,
    operators.SOLILOQUY_OT_animate_from_audio,
    operators.SOLILOQUY_OT_cancel,
    panels.SOLILOQUY_PT_view,
    panels.SOLILOQUY_PT_sequencer,
    *emotion_panel.CLASSES,
    *emotion_hearing.CLASSES,
    panels.SOLILOQUY_PT_view_advanced,
    panels.SOLILOQUY_PT_sequencer_advanced,
    *face_panel.CLASSES,
    *pack_operators.CLASSES,
    *self_test.CLASSES,
    *cast.CLASSES,
    *result_registration.CLASSES,
    *add_head.CLASSES,
    *menus.CLASSES,
)


def register_everything() -> None:
    """Register all classes, in order, all settings, and the head in Add > Mesh."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.Scene.soliloquy = bpy.props.PointerProperty(type=properties.SoliloquySettings)
    bpy.types.Object.soliloquy = bpy.props.PointerProperty(type=properties.FaceSettings)
    result_registration.attach()
    cast.attach()
    emotion_panel.attach()
    face_facts.attach()
    menus.attach()
    bpy.types.VIEW3D_MT_mesh_add.append(add_head.draw_menu)


def unregister_everything() -> None:
    """Undo `register_everything` in reverse order and end the worker."""
    session.CURRENT.end()
    bpy.types.VIEW3D_MT_mesh_add.remove(add_head.draw_menu)
    menus.detach()
    face_facts.detach()
    emotion_panel.detach()
    cast.detach()
    result_registration.detach()
    del bpy.types.Object.soliloquy
    del bpy.types.Scene.soliloquy
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
