"""The formats, and one way to write any of them."""

from pathlib import Path

import bpy

from .. import audio_source, baking, placing
from . import curves_csv, point_caches, posed, through_blender

# These follow the scene's own range, which cannot begin before 0.
_FROM_FRAME_0 = ("USD", "GLTF")
_BLENDERS = {"ALEMBIC": through_blender.alembic, "USD": through_blender.usd,
             "GLTF": through_blender.gltf}
ENDINGS = {"ALEMBIC": ".abc", "USD": ".usdc", "GLTF": ".glb", "MDD": ".mdd", "PC2": ".pc2",
           "CSV": ".csv"}
KINDS = (
    ("ALEMBIC", "Alembic (.abc)", "The deformed mesh on every frame"),
    ("USD", "USD (.usdc)", "The deformed mesh on every frame"),
    ("GLTF", "glTF (.glb)", "The mesh with animated morph targets"),
    ("MDD", "MDD (.mdd)", "A point cache for LightWave, Maya and others"),
    ("PC2", "PC2 (.pc2)", "A point cache for 3ds Max and others"),
    ("CSV", "Curves (.csv)", "The values of the shape keys, a row per frame"),
)


def why_missing(kind: str) -> str:
    """Why this Blender cannot write a kind, or ''."""
    return through_blender.why_missing(kind) if kind in _BLENDERS else ""


def frame_range(face: bpy.types.Object) -> tuple[int, int]:
    """First and last frame of what plays on a face."""
    return baking.frame_range(list(placing.playing(face.data.shape_keys)))


def write(context: bpy.types.Context, face: bpy.types.Object, kind: str, path: Path) -> None:
    """What plays on a face as a file of a kind; raises OSError or RuntimeError."""
    with posed.shown(context, face):
        _write(context, face, kind, path)


def _write(context: bpy.types.Context, face: bpy.types.Object, kind: str, path: Path) -> None:
    scene, (first, last) = context.scene, frame_range(face)
    if kind in _FROM_FRAME_0 and first < 0:
        raise RuntimeError(f"what plays begins at frame {first}, this format at 0. Move it.")
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
