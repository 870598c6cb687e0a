"""The Soliloquy tab of the 3D View's and the Sequencer's sidebars. Draws only."""

from typing import Any

import bpy

from . import audio_source, disabled_reason, face_panel, properties, session, storage
from ._backend import errors
from .sub_panel import SubPanel, split
from .words import translated
from .wrapping import draw_wrapped


def _draw_sound(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.soliloquy
    # Without the split, which would stack the two choices.
    choice = layout.row()
    choice.use_property_split = False
    choice.prop(settings, "source", expand=True)
    if settings.source == "FILE":
        layout.prop(settings, "filepath", text="")
        layout.prop(settings, "first_frame")
        return
    try:
        text, icon = audio_source.chosen(context).describe(), "SOUND"
    except errors.SoliloquyError:  # the button says why
        text, icon = "Nothing to hear", "ERROR"
    draw_wrapped(layout, text, icon)


def _draw_face(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.soliloquy
    layout.prop(settings, "face", icon="USER")
    if settings.face is None and context.object is not None:
        split = layout.split(factor=0.4)
        split.label(text="")
        split.label(text=context.object.name, icon="OBJECT_DATA")
    face_panel.draw_facts(layout, context)
    performance = properties.performance_of(properties.chosen_face(context), context.scene)
    layout.prop(performance, "model")
    layout.prop(performance, "seed")


def _draw_job(layout: bpy.types.UILayout) -> None:
    job = session.CURRENT.job
    if job is not None:
        layout.progress(factor=job.fraction, text=job.label)
        layout.operator("soliloquy.cancel", icon="CANCEL")


def _draw_result(layout: bpy.types.UILayout) -> None:
    current = session.CURRENT
    if not current.message:
        return
    lines = layout.box().column(align=True)
    draw_wrapped(lines, current.message, "ERROR" if current.failed else "INFO")
    draw_wrapped(lines, current.hint, "BLANK1")


class _Main:
    bl_label = "Soliloquy"
    bl_category = "Soliloquy"
    bl_region_type = "UI"

    def draw(self, context: bpy.types.Context) -> None:
        """Sound, face, model, seed, the button, and what came of it."""
        layout: Any = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        layout.use_property_decorate = False
        _draw_sound(layout.column(), context)
        _draw_face(layout.column(), context)
        row = layout.row()
        row.scale_y = 1.5
        row.operator("soliloquy.animate_from_audio", icon="PLAY")
        reason = disabled_reason.for_animating(context)
        if reason and not session.CURRENT.busy:
            draw_wrapped(layout, reason)
        _draw_job(layout)
        _draw_result(layout)


class _Advanced(SubPanel):
    bl_label = "Advanced"

    def draw(self, context: bpy.types.Context) -> None:
        """What most users never need."""
        layout = split(self.layout)  # type: ignore[attr-defined]
        face = properties.chosen_face(context)
        performance = properties.performance_of(face, context.scene)
        for name in ("takes", "steps"):
            layout.prop(performance, name)
        storage.draw(layout, performance)
        if face is not None:
            layout.prop(face.soliloquy, "own")
        worker = session.CURRENT.worker
        if worker is not None and worker.hello is not None:
            draw_wrapped(layout, translated("Runs on {device}", device=worker.hello.device_note))


class SOLILOQUY_PT_view(_Main, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the 3D View."""

    bl_space_type = "VIEW_3D"


class SOLILOQUY_PT_view_advanced(_Advanced, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the 3D View."""

    bl_space_type = "VIEW_3D"
    bl_parent_id = "SOLILOQUY_PT_view"


class SOLILOQUY_PT_sequencer(_Main, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the Video Sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"


class SOLILOQUY_PT_sequencer_advanced(_Advanced, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the Video Sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_parent_id = "SOLILOQUY_PT_sequencer"
