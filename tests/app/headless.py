"""In a real Blender without a window: make the test scene, press the button, look at what it wrote.

blender -b --python headless.py -- FOLDER
"""

import json
import sys
import time
from pathlib import Path

import bpy
import numpy as np

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])


def make_scene() -> bpy.types.Object:
    """A head with a shape key and an Action of the artist's own, and a selected sound strip."""
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.render.fps = 30
    bpy.ops.soliloquy.add_head()
    head = bpy.context.object
    head.shape_key_add(name="Basis")
    smile = head.shape_key_add(name="Smile")
    smile.keyframe_insert("value", frame=1)
    head.data.shape_keys.animation_data.action.name = "Artist's smile"
    choose_sound(bpy.context.scene, str(FOLDER / "line.wav"))
    bpy.context.scene.frame_end = 270
    return head


def choose_sound(scene: bpy.types.Scene, path: str) -> None:
    """A selected strip or, in a Blender that was built without sound (bpy 4.2), the file."""
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    try:
        strips.new_sound("Line", path, 1, 1).select = True
    except RuntimeError:
        scene.soliloquy.source, scene.soliloquy.filepath = "FILE", path


def shapes_over_time(head: bpy.types.Object, frames: range) -> np.ndarray:
    """The evaluated vertices (F, V, 3) at each of `frames`."""
    found = []
    for frame in frames:
        bpy.context.scene.frame_set(frame)
        mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        flat = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
        mesh.vertices.foreach_get("co", flat)
        found.append(flat.reshape(-1, 3))
    return np.stack(found)


def main() -> None:
    """Write scene.blend, talking.blend and headless.json; raises AssertionError if it fails."""
    head = make_scene()
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "scene.blend"))
    start = time.monotonic()
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    seconds = time.monotonic() - start
    shapes = shapes_over_time(head, range(1, 261, 5))
    travel_mm = float(np.linalg.norm(shapes - shapes[0], axis=2).max() * 1000)
    keys = [block.name for block in head.data.shape_keys.key_blocks]
    assert keys[:2] == ["Basis", "Smile"] and len(keys) > 2, keys
    assert "Artist's smile" in bpy.data.actions, list(bpy.data.actions)
    assert 2.0 < travel_mm < 60.0, f"the face moves by {travel_mm} mm at most"
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "talking.blend"))
    found = {
        "blender": bpy.app.version_string,
        "seconds": round(seconds, 2),
        "shape_keys": len(keys) - 2,
        "travel_mm": round(travel_mm, 1),
    }
    (FOLDER / "headless.json").write_text(json.dumps(found))


try:
    main()
except BaseException:
    # Blender would go on to exit code 0.
    import traceback

    traceback.print_exc()
    sys.exit(1)
