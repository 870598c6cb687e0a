"""Alembic, USD and glTF by Blender's own exporters, with the options that suit a talking face."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from .whole_file import beside


def alembic(path: Path, first: int, last: int) -> None:
    """The selected object's deformed mesh on every frame."""
    _run(bpy.ops.wm.alembic_export, path, start=first, end=last, selected=True,
         as_background_job=False, evaluation_mode="VIEWPORT", export_hair=False,
         export_particles=False)


def usd(path: Path, _first: int, _last: int) -> None:
    """The selected object's deformed mesh on every frame of the scene. Not as blend shapes: ours
    have values below 0, which importers (Blender's own among them) cut off."""
    _run(bpy.ops.wm.usd_export, path, selected_objects_only=True, export_animation=True,
         export_shapekeys=False, export_armatures=False, evaluation_mode="VIEWPORT")


def gltf(path: Path, _first: int, _last: int) -> None:
    """The selected object with its shape keys as morph targets; all that plays becomes one
    animation."""
    _run(bpy.ops.export_scene.gltf, path, export_format="GLB", use_selection=True,
         export_morph=True, export_morph_normal=True, export_morph_animation=True,
         export_animations=True, export_animation_mode="SCENE", export_force_sampling=True,
         export_frame_range=True, export_anim_scene_split_object=False,
         export_optimize_animation_size=False)


def why_missing(kind: str) -> str:
    """Why this Blender cannot export 'ALEMBIC', 'USD' or 'GLTF', or ''."""
    if kind == "GLTF":
        there = "gltf" in dir(bpy.ops.export_scene)
        return "" if there else "Enable the add-on 'glTF 2.0 format' in the preferences"
    there = getattr(bpy.app.build_options, kind.lower(), False)
    name = {"ALEMBIC": "Alembic", "USD": "USD"}[kind]
    return "" if there else f"This Blender was built without {name}"


def _run(operator: Callable[..., set[str]], path: Path, **options: Any) -> None:
    """Call an exporter with those options that this Blender's version of it has."""
    known = operator.get_rna_type().properties.keys()  # type: ignore[attr-defined]
    with beside(path) as temporary:
        operator(filepath=str(temporary),
                 **{name: value for name, value in options.items() if name in known})
