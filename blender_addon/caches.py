"""Takes in point caches: a Mesh Cache modifier each, which plays without this add-on."""

from contextlib import ExitStack
from typing import Any

import bpy

from . import exact, keyframes

_CACHES = "soliloquy_caches"


def add(face: bpy.types.Object, made: exact.Cache, facts: dict[str, Any], undo: ExitStack) -> None:
    """Let a face play a point cache, and hide its earlier ones of the same line."""
    hide_within(face, facts, undo)
    modifier = face.modifiers.new(f"Soliloquy {facts['sound']} {made.seed}", "MESH_CACHE")
    undo.callback(face.modifiers.remove, modifier)
    modifier.cache_format = "PC2"
    path = str(made.path)
    modifier.filepath = bpy.path.relpath(path) if bpy.data.filepath else path
    modifier.frame_start = facts["first_frame"] - facts["fade_frames"]
    face.modifiers.move(len(face.modifiers) - 1, 0)
    # On the mesh: Blender saves no new property of an overridden object.
    face.data[_CACHES] = {**_stored(face), modifier.name: {**facts, "cache_path": path}}
    for ours in on(face):  # what plays below goes on: shape keys, and other lines' caches
        ours.deform_mode = "INTEGRATE"


def on(face: bpy.types.Object | None) -> list[bpy.types.Modifier]:
    """The modifiers of ours on a face."""
    if face is None or face.type != "MESH":
        return []
    stored = _stored(face)
    return [modifier for modifier in face.modifiers if _facts(stored, modifier) is not None]


def remove_all(face: bpy.types.Object) -> None:
    """Take our modifiers away; their files stay where they are."""
    for modifier in on(face):
        face.modifiers.remove(modifier)
    for owner in (face, face.data):
        owner.pop(_CACHES, None)


def draw(layout: Any, face: bpy.types.Object) -> None:
    """The caches of a face, each with its switch."""
    for modifier in on(face):
        row = layout.row(align=True)
        row.prop(modifier, "name", text="", emboss=False, icon="FILE_CACHE")
        row.prop(modifier, "show_viewport", text="")
        row.prop(modifier, "show_render", text="")


def _stored(face: bpy.types.Object) -> dict[str, Any]:
    """The facts of each cache by its modifier's name; older files have them on the object."""
    found = (owner.get(_CACHES) for owner in (face, face.data))
    return {name: facts for each in found if each is not None
            for name, facts in each.to_dict().items()}


def _facts(stored: dict[str, Any], modifier: bpy.types.Modifier) -> Any:
    """What is stored of a modifier of ours, also of a renamed one; None for the artist's own."""
    if modifier.type != "MESH_CACHE":
        return None
    path = bpy.path.abspath(modifier.filepath)
    return stored.get(modifier.name) or next(
        (facts for facts in stored.values()
         if bpy.path.abspath(facts.get("cache_path", "")) == path), None)


def hide_within(face: bpy.types.Object, facts: Any, undo: ExitStack) -> None:
    """Hide the caches of the line that a take with these facts is of."""
    stored = _stored(face)
    for modifier in on(face):
        other = _facts(stored, modifier)
        if keyframes.overlapping(other, facts) and modifier.show_viewport:
            modifier.show_viewport = modifier.show_render = False
            undo.callback(_show, modifier)


def _show(modifier: bpy.types.Modifier) -> None:
    modifier.show_viewport = modifier.show_render = True
