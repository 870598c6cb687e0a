"""Add > Mesh > Soliloquy Head inside Blender."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.head import add_head  # noqa: E402
from blender_addon.head.generate import head  # noqa: E402


@pytest.fixture
def scene() -> Iterator[object]:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    registered = hasattr(bpy.types, "SOLILOQUY_OT_add_head")
    if not registered:
        bpy.utils.register_class(add_head.SOLILOQUY_OT_add_head)
    yield bpy.context.scene
    if not registered:
        bpy.utils.unregister_class(add_head.SOLILOQUY_OT_add_head)


def test_operator_adds_the_whole_head_at_the_cursor(scene: object) -> None:
    bpy.context.scene.cursor.location = (1, 2, 3)
    assert bpy.ops.soliloquy.add_head() == {"FINISHED"}
    added, made = bpy.context.object, head()
    assert added.matrix_world.translation[:] == (1, 2, 3)
    assert len(added.data.vertices) == len(made.vertices)
    assert len(added.data.polygons) == len(made.faces)
    assert added.data[add_head.HEAD_PROPERTY] == add_head.HEAD_VERSION
    assert [group.name for group in added.vertex_groups] == list(made.part_names)
    assert len(added.data.materials) == len(made.material_names)
    assert not added.data.validate(verbose=False)


def test_head_faces_the_front_view_of_blender(scene: object) -> None:
    bpy.ops.soliloquy.add_head()
    nose = bpy.context.object.data.vertices[int(head().landmarks[13])].co
    assert nose.y < -0.06 and abs(nose.x) < 1e-6


def test_uvs_tint_and_smooth_shading_reach_the_mesh(scene: object) -> None:
    bpy.ops.soliloquy.add_head()
    mesh, made = bpy.context.object.data, head()
    uv = np.empty(made.uv.size, dtype=np.float32)
    mesh.uv_layers["UVMap"].uv.foreach_get("vector", uv)
    np.testing.assert_array_equal(uv, made.uv.ravel())
    assert len(mesh.color_attributes[add_head.TINT].data) == len(made.vertices)
    assert all(face.use_smooth for face in mesh.polygons)


def test_one_undo_removes_all_the_operator_made(scene: object) -> None:
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.soliloquy.add_head("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    assert not bpy.data.objects and not bpy.data.meshes and not bpy.data.materials


def test_beside_a_linked_character_it_goes_to_the_scene(scene: object, tmp_path: Path) -> None:
    library = str(tmp_path / "anna.blend")
    bpy.data.libraries.write(library, {bpy.data.collections.new("Anna")})
    bpy.data.collections.remove(bpy.data.collections["Anna"])
    with bpy.data.libraries.load(library, link=True) as (_there, linked):
        linked.collections = ["Anna"]
    anna, layer = bpy.data.collections["Anna"], bpy.context.view_layer
    bpy.context.scene.collection.children.link(anna)
    layer.active_layer_collection = layer.layer_collection.children["Anna"]
    assert bpy.ops.soliloquy.add_head() == {"FINISHED"}
    assert bpy.context.object.users_collection == (bpy.context.scene.collection,)


def test_operator_refuses_outside_object_mode(scene: object) -> None:
    bpy.ops.soliloquy.add_head()
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Leave Edit Mode"):
        bpy.ops.soliloquy.add_head()
    bpy.ops.object.mode_set(mode="OBJECT")
