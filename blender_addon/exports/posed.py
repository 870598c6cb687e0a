"""The face as it is posed, frame by frame."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import bpy
import numpy as np
import numpy.typing as npt


def places(face: bpy.types.Object, scene: bpy.types.Scene, first: int,
           last: int) -> Iterator[npt.NDArray[np.float32]]:
    """Places (V, 3) in local space of all of a face's vertices at every frame, all its shape keys
    at work and its modifiers not: as a point cache on the same mesh needs them."""
    with _kept_frame(scene), _without_modifiers(face), _progress(first, last) as tell:
        for frame in range(first, last + 1):
            tell(frame)
            scene.frame_set(frame)
            mesh = face.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
            flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
            mesh.vertices.foreach_get("co", flat)
            yield flat.reshape(-1, 3)


@contextmanager
def _progress(first: int, last: int) -> Iterator[Callable[[int], None]]:
    """The mouse pointer counts while Blender is busy, as for its own exports."""
    manager = bpy.context.window_manager
    manager.progress_begin(first, last + 1)
    try:
        yield manager.progress_update
    finally:
        manager.progress_end()


@contextmanager
def _kept_frame(scene: bpy.types.Scene) -> Iterator[None]:
    frame, subframe = scene.frame_current, scene.frame_subframe
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=subframe)


@contextmanager
def _without_modifiers(face: bpy.types.Object) -> Iterator[None]:
    shown = [modifier for modifier in face.modifiers if modifier.show_viewport]
    for modifier in shown:
        modifier.show_viewport = False
    try:
        yield
    finally:
        for modifier in shown:
            modifier.show_viewport = True


@contextmanager
def shown(context: bpy.types.Context, face: bpy.types.Object) -> Iterator[None]:
    """The face in view and selectable, however it was hidden: Blender poses no hidden object, and
    exports none."""
    top = context.scene.collection.objects
    with ExitStack() as undo:
        if all(each != face for each in top):  # the collection that cannot be hidden
            top.link(face)
            undo.callback(top.unlink, face)
        for flag in ("hide_viewport", "hide_select"):
            undo.callback(setattr, face, flag, getattr(face, flag))
            setattr(face, flag, False)
        if face.hide_get():
            face.hide_set(False)
            undo.callback(face.hide_set, True)
        yield


@contextmanager
def alone(context: bpy.types.Context, face: bpy.types.Object, first: int,
          last: int) -> Iterator[None]:
    """The face alone selected and these frames the scene's, for Blender's exporters."""
    scene, layer = context.scene, context.view_layer
    selected, active = list(context.selected_objects), layer.objects.active
    frames = scene.frame_start, scene.frame_end
    try:
        for other in selected:
            other.select_set(False)
        face.select_set(True)
        layer.objects.active = face
        scene.frame_start, scene.frame_end = first, last
        with _kept_frame(scene):
            yield
    finally:
        scene.frame_start, scene.frame_end = frames
        face.select_set(False)
        for other in selected:
            other.select_set(True)
        layer.objects.active = active
