"""What the Blender of an export does: open the face, write the file, tell how far it is."""

import json
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import bpy

from . import formats, whole_file

# How it went: well; the face does not move here as it does there; else why the file cannot be.
DONE, UNLIKE = "done", "unlike"
# What of a scene's render settings shapes a face and its timing.
SCENE = ("fps", "fps_base", "use_simplify", "simplify_subdivision")


def expression() -> str:
    """The Python that leads here in another Blender, where this package is not installed."""
    package = Path(__file__).parents[1]
    return (f"import sys; sys.path.append({str(package.parent)!r}); "
            f"from {package.name}.exports import child; child.main(sys.argv[-1])")


def main(argument: str) -> None:
    """Do what the argument (JSON) says, and write down how it went."""
    order = json.loads(argument)
    import_module(__package__.partition(".")[0]).register()
    with whole_file.replacing(Path(order["verdict"])) as file:
        file.write(_write(order, _opened(order)).encode())


def _opened(order: dict[str, Any]) -> bpy.types.Object:
    """The face in a scene of its own that is like the one it comes from."""
    bpy.ops.wm.open_mainfile(filepath=order["blend"], load_ui=False)
    scene, face = bpy.context.scene, bpy.data.objects[order["face"]]
    scene.name = order["scene"]
    for each in (face, *_parents(face)):
        if each.name not in scene.objects:  # a driver that reads its scene brings that along
            scene.collection.objects.link(each)
    for name, value in order["render"].items():
        setattr(scene.render, name, value)
    scene.unit_settings.scale_length = order["scale_length"]  # USD tells it in 4.2
    return face


def _parents(face: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """Those that it hangs on, which Alembic and USD write as well."""
    while (face := face.parent) is not None:
        yield face


def _write(order: dict[str, Any], face: bpy.types.Object) -> str:
    bpy.context.scene.frame_set(formats.frame_range(face)[0])
    if not all(driver.driver.is_valid for driver in _drivers()):
        return UNLIKE  # by an add-on's functions, say, that are not here
    with open(order["progress"], "w", encoding="ascii") as progress:
        bpy.app.handlers.frame_change_post.append(partial(_tell, progress))
        try:
            formats.write(bpy.context, face, order["kind"], Path(order["path"]))
        except (OSError, RuntimeError) as problem:
            return " ".join(str(problem).split())
    return DONE


def _tell(progress: IO[str], scene: bpy.types.Scene, _graph: bpy.types.Depsgraph) -> None:
    """Which frame was just posed, always as many letters, so that none is read by half."""
    progress.seek(0)
    progress.write(f"{scene.frame_current:8d}")
    progress.flush()


def _drivers() -> Iterator[bpy.types.FCurve]:
    """All drivers of what came along."""
    for owner in (*bpy.data.objects, *bpy.data.shape_keys, *bpy.data.armatures, *bpy.data.meshes):
        if owner.animation_data is not None:
            yield from owner.animation_data.drivers
