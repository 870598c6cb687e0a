"""A small film set for one head: camera, three soft lights, a backdrop, quick render settings."""

from __future__ import annotations

from math import radians

import bpy
from mathutils import Vector

SIZE = (480, 540)
WARM, COOL, PALE = (1.0, 0.86, 0.74), (0.72, 0.82, 1.0), (0.9, 0.95, 1.0)


def build(head: bpy.types.Object) -> None:
    """Put `head` on the set, framed from the crown to the throat; it looks along -y."""
    corners = [head.matrix_world @ Vector(corner) for corner in head.bound_box]
    low = Vector(map(min, zip(*corners, strict=True)))
    high = Vector(map(max, zip(*corners, strict=True)))
    size, middle = high.z - low.z, (low + high) / 2
    middle.z += 0.12 * size  # the face, not the neck
    # Lights and camera are children of one empty, scaled to the head: distances below are in
    # head heights.
    centre = bpy.data.objects.new("Set", None)
    centre.location, centre.scale = middle, (size, size, size)
    bpy.context.collection.objects.link(centre)
    _camera(centre)
    _light(centre, "Key", (-1.4, -1.9, 1.1), 1.5, 42.0 * size**2, WARM)
    _light(centre, "Fill", (1.8, -1.5, 0.1), 2.0, 16.0 * size**2, COOL)
    _light(centre, "Rim", (0.9, 1.6, 1.3), 1.0, 30.0 * size**2, PALE)
    _backdrop(centre)
    _render_settings(bpy.context.scene)


def _camera(centre: bpy.types.Object) -> None:
    data = bpy.data.cameras.new("Camera")
    data.lens, data.sensor_width, data.sensor_fit = 85.0, 36.0, "VERTICAL"
    data.sensor_height, data.clip_start = 24.0, 0.01
    camera = _place(centre, "Camera", data, (0.3, -3.45, 0.05))
    bpy.context.scene.camera = camera


def _light(
    centre: bpy.types.Object,
    name: str,
    place: tuple[float, float, float],
    width: float,
    watts: float,
    colour: tuple[float, float, float],
) -> None:
    data = bpy.data.lights.new(name, "AREA")
    data.shape, data.size, data.energy, data.color = "DISK", width, watts, colour
    _place(centre, name, data, place)


def _place(
    centre: bpy.types.Object, name: str, data: bpy.types.ID, place: tuple[float, float, float]
) -> bpy.types.Object:
    """A new object at `place` around `centre`, looking at it."""
    new = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(new)
    new.parent = centre
    new.location = place
    new.rotation_euler = (-Vector(place)).to_track_quat("-Z", "Y").to_euler()
    return new


def _backdrop(centre: bpy.types.Object) -> None:
    """A wide plane behind the head, in a colour that skin stands out from."""
    bpy.ops.mesh.primitive_plane_add(size=14.0, location=(0, 0, 0), rotation=(radians(90), 0, 0))
    wall = bpy.context.object
    wall.name, wall.parent, wall.location = "Backdrop", centre, (0.0, 2.6, 0.0)
    material = bpy.data.materials.new("Backdrop")
    if material.node_tree is None:  # always there since Blender 5.0
        material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (0.055, 0.12, 0.15, 1.0)
    shader.inputs["Roughness"].default_value = 0.9
    wall.data.materials.append(material)


def _render_settings(scene: bpy.types.Scene) -> None:
    scene.world = scene.world or bpy.data.worlds.new("World")
    scene.world.color = (0.05, 0.055, 0.065)
    render = scene.render
    render.engine = "CYCLES"  # without a graphics card faster than Blender's other engines
    render.resolution_x, render.resolution_y = SIZE
    render.use_persistent_data = True
    _quick(scene.cycles)
    scene.view_settings.look = "AgX - Medium High Contrast"


def _quick(cycles: bpy.types.PropertyGroup) -> None:
    """Few samples, cleaned by the denoiser: about a second a frame on two cores."""
    cycles.samples, cycles.use_light_tree = 3, False
    cycles.max_bounces = cycles.diffuse_bounces = 1
    cycles.glossy_bounces = 0
    cycles.use_denoising, cycles.denoising_quality = True, "FAST"
    cycles.denoising_prefilter = "NONE"  # took two fifths of the time
