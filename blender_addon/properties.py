"""What the artist chose, kept in the scene and, for a face with settings of its own, on its object.
No logic."""

from collections.abc import Iterable
from typing import Any

import bpy

from . import models, style_choice
from .blender_compat import PATH_OPTIONS

SOURCES = (
    ("STRIP", "Strips", "The strips with sound that are selected in the Video Sequencer, mixed as "
     "they play", "", 0),
    ("SCENE", "Scene", "All that the Video Sequencer plays in the scene's frame range, or in its "
     "preview range", "", 2),
    ("FILE", "File", "A sound file on disk", "", 1),
)
STORAGES = (
    ("COMPACT", "Compact", "The fewest shape keys that stay within 0.1 mm everywhere: light, and "
     "made for sliders, mixing and redoing"),
    ("FRAMES", "One Key per Frame", "A shape key for every frame, exact. Heavy: for short lines"),
    ("CACHE", "Point Cache", "A .pc2 file and a Mesh Cache modifier, exact. Light to play; no "
     "curves to edit"),
)
MOST_TAKES = 16


def _is_mesh(_settings: bpy.types.PropertyGroup, candidate: bpy.types.Object) -> bool:
    return bool(candidate.type == "MESH")


def _model_names(_settings: bpy.types.PropertyGroup, context: bpy.types.Context,
                 _typed: str) -> Iterable[str]:
    return models.names(context)


class PerformanceSettings(style_choice.StyleSettings):
    """How a face performs: the fields that the scene has for all faces, and a face may have."""

    model: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Model", default="gldi-flame", search=_model_names, search_options={"SUGGESTION"},
        description="An installed model's name, or the folder or .zip of one")
    seed: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Seed", min=0, max=2**31 - 1 - MOST_TAKES,
        description="Another number gives another performance of the same line")
    takes: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Takes", default=1, min=1, max=MOST_TAKES,
        description="Performances to make, with this seed and the next ones; the first one plays")
    steps: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Steps", default=0, min=0, max=1000,
        description="Denoising steps; 0: what the model recommends. More is slower")
    emotion_slider: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Strength Slider", default=True,
        description="Also make each take without emotion, so that its emotion has a slider under "
                    "Takes. Needs compact keys, and up to twice the time")
    storage: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Keep As", items=STORAGES, description="What a take becomes on the face")
    cache_folder: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Cache Folder", default="//", subtype="DIR_PATH", options=PATH_OPTIONS,
        description="Where point caches go; // is the folder of this file")


class SoliloquySettings(PerformanceSettings, bpy.types.PropertyGroup):  # type: ignore[misc]
    """Scene.soliloquy: the panel's fields."""

    source: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Sound", items=SOURCES, description="Where the voice comes from")
    filepath: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="File", subtype="FILE_PATH",
        description="A voice recording: WAV, FLAC, OGG or MP3")
    first_frame: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Start Frame", default=1, description="Where the sound begins on the timeline")
    face: bpy.props.PointerProperty(  # type: ignore[valid-type]
        name="Face", type=bpy.types.Object, poll=_is_mesh,
        description="The mesh that will talk; empty: the active object")


_SHARED = (*style_choice.StyleSettings.__annotations__, *PerformanceSettings.__annotations__)


def _begin_as_shared(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """A face's own settings begin as what it had: those of the scene."""
    if settings.own and not any(map(settings.is_property_set, _SHARED)):
        for name in _SHARED:
            setattr(settings, name, getattr(context.scene.soliloquy, name))


class FaceSettings(PerformanceSettings, bpy.types.PropertyGroup):  # type: ignore[misc]
    """Object.soliloquy: what one face does differently."""

    own: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Own Settings", update=_begin_as_shared,
        description="Model, seed, takes, style and steps of this face alone; otherwise it shares "
                    "the scene's with the other faces")


def chosen_face(context: bpy.types.Context) -> Any:
    """The face that the panel is about: the one named in it, else the active object, or None."""
    return context.scene.soliloquy.face or context.object


def performance_of(face: bpy.types.Object | None, scene: bpy.types.Scene) -> PerformanceSettings:
    """The settings that hold for a face: its own, or the scene's."""
    holder = face if face is not None and face.soliloquy.own else scene
    settings: PerformanceSettings = holder.soliloquy
    return settings
