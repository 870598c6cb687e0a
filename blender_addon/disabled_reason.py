"""Why a button is grey: pure, cheap checks without any file access, shown in its tooltip."""

from typing import Any, Protocol

import bpy

from . import audio_source, placing, properties, session
from ._backend import errors
from .words import translated


class Explains(Protocol):
    """An operator class that can say why it is disabled."""

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """One line, or '' when the operator can run."""

    @classmethod
    def poll_message_set(cls, message: str) -> None:
        """Blender's own: the tooltip's explanation."""


def poll(operator: type[Explains], context: bpy.types.Context) -> bool:
    """Blender's poll, with the reason left for the tooltip."""
    reason = operator.disabled_reason(context)
    if reason:
        operator.poll_message_set(translated(reason))
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
        return f"'{face.name}' is not a mesh: choose a face mesh"
    return _for_data(face) or _for_mode(face) or _for_keys(face)


def _for_storage(performance: Any) -> str:
    unsaved = not bpy.data.filepath and performance.cache_folder.startswith("//")
    return ("Save the file first, or choose a folder for the point cache"
            if performance.storage == "CACHE" and unsaved else "")


def _for_scene(context: bpy.types.Context) -> str:
    """A deleted object lives on while the panel's field points to it: it must not be animated."""
    chosen = context.scene.soliloquy.face
    if chosen is not None and context.scene.objects.get(chosen.name) is None:
        return f"'{chosen.name}' is not in this scene: choose another face"
    return ""


def _for_data(face: bpy.types.Object) -> str:
    mesh = face.data
    if face.library is not None or mesh.library is not None:
        return f"'{face.name}' is linked from another file: make it local (Object > Relations)"
    if mesh.override_library is not None:
        return f"The mesh of '{face.name}' is a library override: make it local"
    if mesh.users - mesh.use_fake_user > 1:
        return (f"The mesh of '{face.name}' is shared by several objects: make it single-user "
                "(Object > Relations)")
    return ""


def _for_mode(face: bpy.types.Object) -> str:
    if face.mode in {"EDIT", "SCULPT"}:
        return f"'{face.name}' is in {face.mode.title()} Mode: go to Object Mode (Tab)"
    return ""


def _for_keys(face: bpy.types.Object) -> str:
    keys = face.data.shape_keys
    if keys is not None and not keys.use_relative:
        return f"'{face.name}' has absolute shape keys: tick Relative in its shape keys"
    return placing.why_not_placeable(keys)
