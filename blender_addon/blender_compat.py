"""Every difference between Blender 4.2 and 5.2 that matters here, told by feature detection."""

import os
import sys
from collections.abc import Iterable
from typing import Any

import bpy

# Since 4.5 a path property has to say that it may begin with "//".
PATH_OPTIONS = ({"PATH_SUPPORTS_BLEND_RELATIVE"}
                if "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties
                else set())


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips the sequencer shows; since 5.0 a workspace may pin another one."""
    for owner in (context, getattr(context, "workspace", None)):
        scene = getattr(owner, "sequencer_scene", None)
        if scene is not None:
            return scene
    return context.scene


def all_strips(editor: bpy.types.SequenceEditor) -> Iterable[Any]:
    """All strips, also those inside meta strips: `sequences_all` until 4.3, then `strips_all`."""
    strips: Iterable[Any] = (editor.strips_all if hasattr(editor, "strips_all")
                             else editor.sequences_all)
    return strips


def top_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The collection that new strips are added to."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def shown_strips(editor: bpy.types.SequenceEditor) -> Any:
    """What the sequencer shows: the strips of the innermost meta strip that is open, else the top
    ones."""
    open_metas = editor.meta_stack
    return top_strips(open_metas[-1] if len(open_metas) else editor)


def _first(owner: Any, *names: str) -> Any:
    """The first of the attributes that this Blender has; new names come first, because reading an
    old one where both exist warns."""
    return next(getattr(owner, name) for name in names if hasattr(owner, name))


def content_start(strip: Any) -> float:
    """Frame where the untrimmed sound would begin."""
    return float(_first(strip, "content_start", "frame_start"))


def content_frames(strip: Any) -> float:
    """Frames that the untrimmed sound lasts as it is played."""
    return float(_first(strip, "content_duration", "frame_duration"))


def left_handle(strip: Any) -> float:
    """First frame shown."""
    return float(_first(strip, "left_handle", "frame_final_start"))


def right_handle(strip: Any) -> float:
    """Frame after the last one shown."""
    return float(_first(strip, "right_handle", "frame_final_end"))


def strip_type() -> Any:
    """The class of strips: Sequence until 4.3, then Strip."""
    return getattr(bpy.types, "Strip", None) or bpy.types.Sequence


def new_colour_strip(strips: Any, name: str, channel: int, first: int, after: int) -> Any:
    """A new strip of one colour from one frame up to, but not with, another; until 4.5 Blender asks
    for its end, then for its length."""
    known = strips.bl_rna.functions["new_effect"].parameters.keys()
    extent = {"length": after - first} if "length" in known else {"frame_end": after}
    return strips.new_effect(name=name, type="COLOR", channel=channel, frame_start=first, **extent)


def set_handles(strip: Any, first: int, after: int) -> None:
    """Show a strip from one frame up to, but not with, another."""
    newer = hasattr(strip, "left_handle")
    setattr(strip, "right_handle" if newer else "frame_final_end", after)
    setattr(strip, "left_handle" if newer else "frame_final_start", first)


def retiming_frames(strip: Any) -> list[int]:
    """The frames of the strip's retiming keys; a Blender built without its audio library (Debian's
    4.3) has strips without retiming."""
    return [int(key.timeline_frame) for key in getattr(strip, "retiming_keys", ())]


def hard_trim_frames(strip: Any) -> float:
    """Frames cut off the beginning of the file for good."""
    return float(_first(strip, "content_trim_start", "animation_offset_start"))


def new_curves(action: bpy.types.Action, id_type: str) -> Any:
    """What holds the `fcurves` and `groups` of a new action, for data-blocks of `id_type`."""
    if not hasattr(action, "layers"):
        action.id_root = id_type
        return action
    slot = action.slots.new(id_type, "Soliloquy")
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def holders_of(action: bpy.types.Action) -> list[Any]:
    """Everything in an action that holds `fcurves` and `groups`."""
    if not hasattr(action, "layers"):
        return [action]
    return [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]


def curves_of(action: bpy.types.Action) -> list[Any]:
    """All F-curves of an action, whatever its layers and slots."""
    return [curve for holder in holders_of(action) for curve in holder.fcurves]


def set_slot(holder: Any, action: bpy.types.Action) -> None:
    """Choose the action's one slot on an AnimData or an NLA strip, where Blender has slots."""
    if hasattr(action, "slots") and len(action.slots):
        holder.action_slot = action.slots[0]


def python_executable() -> str:
    """The Python that runs beside Blender; sys.executable, unless that is Blender itself."""
    candidate = sys.executable
    if candidate and candidate != bpy.app.binary_path:
        return candidate
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return os.path.join(sys.exec_prefix, "bin", version)


def hard_trim_end_frames(strip: Any) -> float:
    """Frames cut off the end of the file for good."""
    return float(_first(strip, "content_trim_end", "animation_offset_end"))
