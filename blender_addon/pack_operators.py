"""Install a model pack from a .zip, and remove one."""

from pathlib import Path

import bpy

from . import disabled_reason, face_facts, models, packs, session, user_files
from ._backend import errors
from .running import FINISHED, Result, Running
from .task import Task
from .words import translated


class SOLILOQUY_OT_install_model(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Install a model from its .zip file, after every file in it was checked"""

    bl_idname = "soliloquy.install_model"
    bl_label = "Install Model"

    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File", subtype="FILE_PATH", description="The .zip file of a model pack")
    filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
        default="*.zip", options={"HIDDEN"}, description="What the file browser shows")

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        """One job at a time."""
        return disabled_reason.for_job()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Choose the file first."""
        if self.filepath:
            return super().invoke(context, event)
        return self.ask_for_file(context)

    def start(self, _context: bpy.types.Context) -> None:
        """Check and unpack in a thread: a large model takes seconds."""
        archive, place = Path(bpy.path.abspath(self.filepath)), user_files.folder("models")
        if archive.suffix != ".zip" or not archive.is_file():
            raise errors.PackError("pack_no_zip", f"'{archive}' is no .zip file.",
                                   "Choose the .zip file of a model pack.")
        session.CURRENT.job = Task("Checking the model", lambda: packs.install(archive, place))

    def done(self, made: list[str]) -> Result:
        """Say so."""
        _look_again()
        session.CURRENT.tell(translated("The model {model} is installed", model=made[0]))
        self.say("INFO", session.CURRENT.message)
        return FINISHED


class SOLILOQUY_OT_remove_model(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Delete a model that you installed"""

    bl_idname = "soliloquy.remove_model"
    bl_label = "Remove Model"

    model: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Model", description="The name of the model to delete")

    @classmethod
    def disabled_reason(cls, _context: bpy.types.Context) -> str:
        """A running job may be using it."""
        return disabled_reason.for_job()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Ask first: this cannot be undone."""
        asked: Result = context.window_manager.invoke_confirm(
            self, event, title=translated("Delete the model '{model}'?", model=self.model),
            confirm_text="Delete")
        return asked

    def execute(self, _context: bpy.types.Context) -> Result:
        """Delete it."""
        try:
            packs.remove(self.model, user_files.folder("models"))
        except errors.SoliloquyError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        _look_again()
        self.report({"INFO"}, translated("The model {model} is deleted", model=self.model))
        return FINISHED


def _look_again() -> None:
    models.forget()
    face_facts.forget()


CLASSES = (SOLILOQUY_OT_install_model, SOLILOQUY_OT_remove_model)
