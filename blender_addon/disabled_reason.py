"""Why a button is grey: pure, cheap checks without any file access, shown in its tooltip."""

import os
from typing import Any, Protocol

import bpy

from . import audio_source, placing, properties, session
from ._backend import errors
from .words import translated

_SINGLE_USER = "Use Object > Relations > Make Single User > Object Data"


class Explains(Protocol):
    """An operator class that can say why it is disabled."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """One line, or '' when the operator can run."""

    @classmethod
    def poll_message_set(cls, message: str) -> None:
        """Blender's own: the tooltip's explanation."""


class Greyed:
    """The part of an operator that is grey while `disabled_reason` says why."""

    @classmethod
    def poll(cls: type[Explains], context: bpy.types.Context) -> bool:
        """Blender's poll, with the reason left for the tooltip."""
        reason = cls.disabled_reason(context)
        if reason:
            cls.poll_message_set(translated(reason))
        return not reason


def for_animating(context: bpy.types.Context) -> str:
    """Why Animate from Audio cannot run with the panel's settings, or ''."""
    face = properties.chosen_face(context)
    performance = properties.performance_of(face, context.scene)
    return (for_job() or for_face(face) or _for_scene(context) or for_sound(context)
            or ("" if performance.model.strip() else "Choose a model")
            or _for_storage(performance))


def for_job() -> str:
    """Why no new job can begin, or ''."""
    return "Soliloquy is at work: wait, or press Cancel" if session.CURRENT.busy else ""


def for_sound(context: bpy.types.Context) -> str:
    """Why the panel's sound cannot be used, or ''."""
    settings = context.scene.soliloquy
    if settings.source == "FILE":
        return "" if settings.filepath.strip() else "Choose a sound file"
    try:
        audio_source.chosen(context)
    except errors.SoliloquyError as problem:
        return problem.message
    return ""


def for_face(face: bpy.types.Object | None) -> str:
    """Why this object cannot be animated, or ''."""
    if face is None:
        return "Choose a face: select a mesh object or name one in the panel"
    if face.type != "MESH":
        return translated("'{face}' is not a mesh: choose a face mesh", face=face.name)
    return _for_data(face) or _for_mode(face) or _for_keys(face)


def _for_storage(performance: Any) -> str:
    folder = performance.cache_folder.strip()
    # To Python, Blender's "//" is a root.
    unsaved = not bpy.data.filepath and (folder.startswith("//") or not os.path.isabs(folder))
    return ("Save the file first, or choose a folder for the point cache"
            if performance.storage == "CACHE" and unsaved else "")


def _for_scene(context: bpy.types.Context) -> str:
    """A deleted object lives on while the panel's field points to it: it must not be animated."""
    chosen = context.scene.soliloquy.face
    if chosen is not None and context.scene.objects.get(chosen.name) is None:
        return translated("'{face}' is not in this scene: choose another face", face=chosen.name)
    return ""


def _for_data(face: bpy.types.Object) -> str:
    mesh = face.data
    if face.library is not None:
        return translated("'{face}' is linked from another file: override it (Object > Library "
                          "Override > Make), or make it local", face=face.name)
    if mesh.library is not None or mesh.override_library is not None:
        return translated("The mesh of '{face}' is linked from another file. {how}; an override "
                          "of the object stays one", face=face.name, how=translated(_SINGLE_USER))
    if mesh.users - mesh.use_fake_user > 1:
        return translated("The mesh of '{face}' is shared by several objects. {how}",
                          face=face.name, how=translated(_SINGLE_USER))
    return ""


def _for_mode(face: bpy.types.Object) -> str:
    if face.mode in {"EDIT", "SCULPT"}:
        return translated("'{face}' is in {mode} Mode: go to Object Mode (Tab)", face=face.name,
                          mode=face.mode.title())
    return ""


def _for_keys(face: bpy.types.Object) -> str:
    keys = face.data.shape_keys
    if keys is not None and not keys.use_relative:
        return translated("'{face}' has absolute shape keys: tick Relative in its shape keys",
                          face=face.name)
    return placing.why_not_placeable(keys)
