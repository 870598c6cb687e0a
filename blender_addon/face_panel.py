"""The face in the panel: what it is, its own settings, and the question about its vertices."""

from typing import Any

import bpy

from . import disabled_reason, face_facts, properties, vertex_order
from .words import translated
from .wrapping import draw_wrapped


def draw_facts(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """What the chosen face is, or what is wrong with it and the button that mends it."""
    face = properties.chosen_face(context)
    if face is None or disabled_reason.for_face(face):
        return
    facts = face_facts.about(face, context.scene)
    if facts is None:
        layout.label(text="Looking at the face", icon="TIME")
        return
    draw_wrapped(layout, facts.text, "INFO")
    draw_wrapped(layout, facts.problem, "ERROR")
    if facts.order is not None:
        layout.operator(SOLILOQUY_OT_match_vertices.bl_idname, icon="UV_SYNC_SELECT")


class SOLILOQUY_OT_match_vertices(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Find out which vertex of the face is which of the model's, where another program has
    reordered them; asks first, and stores the answer on the mesh"""

    bl_idname = "soliloquy.match_vertices"
    bl_label = "Match Vertices"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender asks for a plain set

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """The face must be one that can be animated at all, and looked at already."""
        face = properties.chosen_face(context)
        reason = disabled_reason.for_job() or disabled_reason.for_face(face)
        if reason or bpy.app.background or context.window is None:
            return reason
        facts = face_facts.about(face, context.scene)
        if facts is None:
            return "The face is being looked at: wait a moment"
        if not facts.reordered:
            return translated("The vertices of '{face}' need no matching", face=face.name)
        return "" if facts.order is not None else facts.problem

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask, with how well the vertices match."""
        facts = self._facts(context)
        if facts.order is None:
            return self.execute(context)
        result: set[str] = context.window_manager.invoke_props_dialog(
            self, width=360, title="Match Vertices", confirm_text="Match")
        return result

    def draw(self, context: bpy.types.Context) -> None:
        """The question."""
        face, facts = properties.chosen_face(context), self._facts(context)
        if facts.order is not None:
            draw_wrapped(self.layout, vertex_order.question(
                face.name, len(face.data.vertices), facts.order), "QUESTION", 58)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The answer was yes, or a script asks."""
        face, facts = properties.chosen_face(context), self._facts(context)
        if facts.order is None:
            self.report({"ERROR"}, facts.problem
                        or translated("'{face}' needs no matching.", face=face.name))
            return {"CANCELLED"}
        vertex_order.store(face.data, facts.order.order)
        self.report({"INFO"}, translated(
            "The vertices of '{face}' are matched: {apart:.2f} mm apart on average",
            face=face.name, apart=facts.order.residual_mm))
        return {"FINISHED"}

    def _facts(self, context: bpy.types.Context) -> face_facts.Facts:
        face: Any = properties.chosen_face(context)
        model = properties.performance_of(face, context.scene).model.strip()
        return face_facts.now(context, face, model)


CLASSES = (SOLILOQUY_OT_match_vertices,)
