"""Export of the result, one menu and one operator."""

from pathlib import Path
from typing import Any

import bpy

from .. import disabled_reason, placing, properties, result, session
from .._backend import errors
from ..running import CANCELLED, FINISHED, Result, Running
from ..words import translated
from . import apart, formats


class SOLILOQUY_OT_export(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Write what plays on the face into a file for another program"""

    bl_idname = "soliloquy.export"
    bl_label = "Export Result"

    filepath: bpy.props.StringProperty(subtype="FILE_PATH")  # type: ignore[valid-type]
    check_existing: bpy.props.BoolProperty(  # type: ignore[valid-type]
        default=True, options={"HIDDEN"})
    kind: bpy.props.EnumProperty(name="Format", items=formats.KINDS)  # type: ignore[valid-type]

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """Something of ours must play."""
        keys = result.of_panel(context)
        if keys is None:
            return "This face has no takes yet"
        if context.mode != "OBJECT":
            return "Go to Object Mode (Tab) to export"
        if not _plays(keys):
            return "No take plays: switch one on in the list"
        return disabled_reason.for_job()

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> Result:
        """Ask for the file; it is proposed beside the .blend, under the face's name."""
        name = bpy.path.clean_name(properties.chosen_face(context).name)
        self.filepath = bpy.path.abspath(f"//{name}{formats.ENDINGS[self.kind]}")
        return self.ask_for_file(context)

    def execute(self, context: bpy.types.Context) -> Result:
        """From a script: write it here, whole, or report in one line why not."""
        reason = formats.why_missing(self.kind)
        if reason:
            self.say("ERROR", reason)
            return CANCELLED
        if self.asked:
            return super().execute(context)
        return self._write_here(context, properties.chosen_face(context))

    def start(self, context: bpy.types.Context) -> None:
        """Let a Blender of its own write it."""
        face = properties.chosen_face(context)
        self._face = face.name
        session.CURRENT.job = apart.Export(face, context.scene, self.kind, self._path())

    def done(self, made: list[Path]) -> Result:
        """Say so."""
        session.CURRENT.tell(translated("Wrote {path}", path=made[0]))
        self.say("INFO", session.CURRENT.message)
        return FINISHED

    def failed(self, problem: errors.SoliloquyError) -> Result | None:
        """A face that does not move elsewhere as it does here is written here."""
        if problem.code == "export_unlike":
            face = bpy.data.objects.get(self._face)
            if face is not None and face.mode == "OBJECT" and _plays(result.of(face)):
                return self._write_here(bpy.context, face)
            problem = errors.RequestError(
                "face_changed", f"'{self._face}' was changed while it was looked at.",
                "Export it again.")
        return Running.failed(self, problem)

    def _write_here(self, context: bpy.types.Context, face: bpy.types.Object) -> Result:
        path = self._path()
        try:
            formats.write(context, face, self.kind, path)
        except (OSError, RuntimeError) as problem:
            self.say("ERROR", translated("'{path}' could not be written: {problem}",
                                         path=path, problem=problem))
            return CANCELLED
        return self.done([path])

    def _path(self) -> Path:
        return Path(bpy.path.abspath(self.filepath)).with_suffix(formats.ENDINGS[self.kind])


def _plays(keys: bpy.types.Key | None) -> bool:
    return keys is not None and bool(placing.takes_playing(keys))


class SOLILOQUY_MT_export(bpy.types.Menu):  # type: ignore[misc] # noqa: N801
    """Formats for other programs"""

    bl_label = "Export"

    def draw(self, _context: bpy.types.Context) -> None:
        """One entry per format; those this Blender cannot write say why."""
        for kind, name, _about in formats.KINDS:
            reason = formats.why_missing(kind)
            row: Any = self.layout.row()
            row.enabled = not reason
            text = f"{name}: {reason}" if reason else name
            row.operator("soliloquy.export", text=text).kind = kind


def draw(layout: Any) -> None:
    """The menu's button."""
    layout.menu("SOLILOQUY_MT_export", icon="EXPORT")


CLASSES = (SOLILOQUY_OT_export, SOLILOQUY_MT_export)
