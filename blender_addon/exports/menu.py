"""Export of the result, one menu and one operator."""

from pathlib import Path
from typing import Any

import bpy

from .. import audio_source, baking, disabled_reason, placing, properties, result
from ..words import translated
from . import curves_csv, point_caches, posed, through_blender

_BLENDERS = {"ALEMBIC": through_blender.alembic, "USD": through_blender.usd,
             "GLTF": through_blender.gltf}
_ENDINGS = {"ALEMBIC": ".abc", "USD": ".usdc", "GLTF": ".glb", "MDD": ".mdd", "PC2": ".pc2",
            "CSV": ".csv"}
KINDS = (
    ("ALEMBIC", "Alembic (.abc)", "The deformed mesh on every frame"),
    ("USD", "USD (.usdc)", "The deformed mesh on every frame"),
    ("GLTF", "glTF (.glb)", "The mesh with animated morph targets"),
    ("MDD", "MDD (.mdd)", "A point cache for LightWave, Maya and others"),
    ("PC2", "PC2 (.pc2)", "A point cache for 3ds Max and others"),
    ("CSV", "Curves (.csv)", "The values of the shape keys, a row per frame"),
)


class SOLILOQUY_OT_export(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Write what plays on the face into a file for another program"""

    bl_idname = "soliloquy.export"
    bl_label = "Export Result"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH")  # type: ignore[valid-type]
    check_existing: bpy.props.BoolProperty(  # type: ignore[valid-type]
        default=True, options={"HIDDEN"})
    kind: bpy.props.EnumProperty(name="Format", items=KINDS)  # type: ignore[valid-type]

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """Something of ours must play."""
        keys = result.of_panel(context)
        if keys is None:
            return "This face has no takes yet"
        if context.mode != "OBJECT":
            return "Go to Object Mode (Tab) to export"
        playing = placing.takes_playing(keys)
        return "" if playing else "No take plays: switch one on in the list"

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file; it is proposed beside the .blend, under the face's name."""
        name = bpy.path.clean_name(properties.chosen_face(context).name)
        self.filepath = bpy.path.abspath(f"//{name}{_ENDINGS[self.kind]}")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it whole, or report in one line why not."""
        path = Path(bpy.path.abspath(self.filepath)).with_suffix(_ENDINGS[self.kind])
        reason = through_blender.why_missing(self.kind) if self.kind in _BLENDERS else ""
        if reason:
            self.report({"ERROR"}, reason)
            return {"CANCELLED"}
        try:
            write(context, self.kind, path)
        except (OSError, RuntimeError) as problem:
            self.report({"ERROR"}, translated("'{path}' could not be written: {problem}",
                                              path=path, problem=problem))
            return {"CANCELLED"}
        self.report({"INFO"}, translated("Wrote {path}", path=path))
        return {"FINISHED"}


def write(context: bpy.types.Context, kind: str, path: Path) -> None:
    """What plays on the panel's face as a file of a kind; raises OSError or RuntimeError."""
    face, scene = properties.chosen_face(context), context.scene
    first, last = baking.frame_range(list(placing.playing(face.data.shape_keys)))
    fps, count = audio_source.scene_fps(scene), len(face.data.vertices)
    if kind in _BLENDERS:
        with posed.alone(context, face, first, last):
            _BLENDERS[kind](path, first, last)
    elif kind == "CSV":
        curves_csv.write(path, face.data.shape_keys, fps)
    elif kind == "MDD":
        point_caches.write_mdd(path, fps, last - first + 1, count,
                               posed.places(face, scene, first, last))
    else:
        point_caches.write_pc2(path, last - first + 1, count,
                               posed.places(face, scene, first, last))


class SOLILOQUY_MT_export(bpy.types.Menu):  # type: ignore[misc] # noqa: N801
    """Formats for other programs"""

    bl_label = "Export"

    def draw(self, _context: bpy.types.Context) -> None:
        """One entry per format; those this Blender cannot write say why."""
        for kind, name, _about in KINDS:
            reason = through_blender.why_missing(kind) if kind in _BLENDERS else ""
            row: Any = self.layout.row()
            row.enabled = not reason
            text = f"{name}: {reason}" if reason else name
            row.operator("soliloquy.export", text=text).kind = kind


def draw(layout: Any) -> None:
    """The menu's button."""
    layout.menu("SOLILOQUY_MT_export", icon="EXPORT")


CLASSES = (SOLILOQUY_OT_export, SOLILOQUY_MT_export)
