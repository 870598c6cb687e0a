"""Takes in point caches: a Mesh Cache modifier each, which plays without this add-on."""

from contextlib import ExitStack
from typing import Any

import bpy

from . import exact, keyframes

_CACHES = "soliloquy_caches"


def add(face: bpy.types.Object, made: exact.Cache, facts: dict[str, Any], undo: ExitStack) -> None:
    """Let a face play a point cache, and hide its earlier ones of the same line."""
    _hide_within(face, facts, undo)
    modifier = face.modifiers.new(f"Soliloquy {facts['sound']} {made.seed}", "MESH_CACHE")
    undo.callback(face.modifiers.remove, modifier)
    modifier.cache_format = "PC2"
    path = str(made.path)
    modifier.filepath = bpy.path.relpath(path) if bpy.data.filepath else path
    modifier.frame_start = facts["first_frame"] - facts["fade_frames"]
    # The artist's own shape keys play on below the cache.
    keys = face.data.shape_keys
    modifier.deform_mode = "INTEGRATE" if keys and len(keys.key_blocks) > 1 else "OVERWRITE"
    face.modifiers.move(len(face.modifiers) - 1, 0)
    stored = face.get(_CACHES)
    face[_CACHES] = {**(stored.to_dict() if stored is not None else {}),
                     modifier.name: {**facts, "cache_path": path}}


def on(face: bpy.types.Object | None) -> list[bpy.types.Modifier]:
    """The modifiers of ours on a face."""
    if face is None or _CACHES not in face:
        return []
    return [modifier for modifier in face.modifiers if _facts(face, modifier) is not None]


def remove_all(face: bpy.types.Object) -> None:
    """Take our modifiers away; their files stay where they are."""
    for modifier in on(face):
        face.modifiers.remove(modifier)
    face.pop(_CACHES, None)


def draw(layout: Any, face: bpy.types.Object) -> None:
    """The caches of a face, each with its switch."""
    for modifier in on(face):
        row = layout.row(align=True)
        row.prop(modifier, "name", text="", emboss=False, icon="FILE_CACHE")
        row.prop(modifier, "show_viewport", text="")
        row.prop(modifier, "show_render", text="")


def _facts(face: bpy.types.Object, modifier: bpy.types.Modifier) -> Any:
    """What is stored of a modifier of ours, also of a renamed one; None for the artist's own."""
    if modifier.type != "MESH_CACHE":
        return None
    stored, path = face[_CACHES], bpy.path.abspath(modifier.filepath)
    return stored.get(modifier.name) or next(
        (facts for facts in stored.values()
         if bpy.path.abspath(facts.get("cache_path", "")) == path), None)


def _hide_within(face: bpy.types.Object, facts: dict[str, Any], undo: ExitStack) -> None:
    for modifier in on(face):
        other = _facts(face, modifier)
        if keyframes.overlapping(other, facts) and modifier.show_viewport:
            modifier.show_viewport = modifier.show_render = False
            undo.callback(_show, modifier)


def _show(modifier: bpy.types.Modifier) -> None:
    modifier.show_viewport = modifier.show_render = True
