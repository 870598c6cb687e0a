"""Add > Mesh > Soliloquy Head: the generated head as a Blender object."""

from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from .generate import head
from .materials import MATERIALS, MaterialSpec
from .mesh import HeadMesh

HEAD_VERSION = 1
HEAD_PROPERTY = "soliloquy_head"
TINT = "Soliloquy Tint"


def _set_input(shader: Any, name: str, value: object) -> None:
    """Set a Principled input where this Blender has it."""
    socket = shader.inputs.get(name)
    if socket is not None:
        socket.default_value = value


def _mixed_with_tint(tree: Any, colour: tuple[float, float, float]) -> Any:
    """The output socket of colour times the mesh's tint."""
    tint = tree.nodes.new("ShaderNodeVertexColor")
    tint.layer_name = TINT
    tint.location = (-460, 120)
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
    mix.location = (-240, 200)
    colours = [socket for socket in mix.inputs if socket.type == "RGBA"]
    next(s for s in mix.inputs if s.type == "VALUE").default_value = 1.0
    colours[0].default_value = (*colour, 1.0)
    tree.links.new(tint.outputs["Color"], colours[1])
    return next(socket for socket in mix.outputs if socket.type == "RGBA")


def _material(name: str, spec: MaterialSpec) -> bpy.types.Material:
    material = bpy.data.materials.new(f"Soliloquy {name.capitalize()}")
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    tree.links.new(_mixed_with_tint(tree, spec.colour), shader.inputs["Base Color"])
    _set_input(shader, "Roughness", spec.roughness)
    _set_input(shader, "Subsurface Weight", spec.subsurface)
    _set_input(shader, "Subsurface Radius", (0.006, 0.0025, 0.0012))
    _set_input(shader, "Subsurface Scale", 1.0)
    _set_input(shader, "Coat Weight", spec.coat)
    _set_input(shader, "Coat Roughness", 0.03)
    material.diffuse_color = (*spec.colour, 1.0)
    return material


def _fill(mesh: bpy.types.Mesh, made: HeadMesh) -> None:
    """Give an empty mesh the head's geometry, UVs and tint; pack axes become Blender's."""
    x, y, z = made.vertices.T
    mesh.from_pydata(np.stack([x, -z, y], axis=-1).tolist(), [], made.faces)
    mesh.polygons.foreach_set("material_index", made.material)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(made.faces), dtype=bool))
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", made.uv.ravel())
    tint = mesh.color_attributes.new(TINT, "FLOAT_COLOR", "POINT")
    rgba = np.column_stack([made.tint, np.ones(len(made.tint), dtype=np.float32)])
    tint.data.foreach_set("color", rgba.ravel())
    mesh[HEAD_PROPERTY] = HEAD_VERSION
    mesh.update()


def build_object(name: str = "Soliloquy Head") -> bpy.types.Object:
    """A new object with the head's mesh, materials and one vertex group per part; not linked."""
    made = head()
    mesh = bpy.data.meshes.new(name)
    for material in made.material_names:
        mesh.materials.append(_material(material, MATERIALS[material]))
    _fill(mesh, made)
    created = bpy.data.objects.new(name, mesh)
    for number, part in enumerate(made.part_names):
        group = created.vertex_groups.new(name=part)
        group.add(np.flatnonzero(made.part == number).tolist(), 1.0, "REPLACE")
    return created


class SOLILOQUY_OT_add_head(bpy.types.Operator):  # type: ignore[misc]  # noqa: N801
    """Add the Soliloquy head, a face that any Soliloquy model of FLAME topology can drive"""

    bl_idname = "soliloquy.add_head"
    bl_label = "Soliloquy Head"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only in Object Mode, as for every object one adds."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave Edit Mode to add a head: it becomes an object of its own")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the head at the 3D cursor and make it the active object."""
        created, into = build_object(), context.collection
        if into.library is not None or into.override_library is not None:
            into = context.scene.collection  # that of a linked character takes no objects
        into.objects.link(created)
        created.matrix_world = Matrix.Translation(context.scene.cursor.location)
        for other in context.selected_objects:
            other.select_set(False)
        created.select_set(True)
        context.view_layer.objects.active = created
        return {"FINISHED"}


def draw_menu(self: Any, _context: bpy.types.Context) -> None:
    """The entry in Add > Mesh."""
    self.layout.operator(SOLILOQUY_OT_add_head.bl_idname, text="Soliloquy Head", icon="USER")


CLASSES = (SOLILOQUY_OT_add_head,)
