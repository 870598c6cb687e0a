"""In a Blender without the add-on: the saved face plays all the same.

blender -b --factory-startup talking.blend --python plays.py
"""

import sys

import bpy

head = bpy.data.objects["Soliloquy Head"]
assert not hasattr(bpy.types.Scene, "soliloquy"), "the add-on is enabled"
values = []
for frame in range(1, 250, 3):
    bpy.context.scene.frame_set(frame)
    values.append([block.value for block in head.data.shape_keys.key_blocks[2:]])
moving = sum(max(column) - min(column) > 0.01 for column in zip(*values, strict=True))
print(f"without the add-on {moving} shape keys move")
sys.exit(0 if moving else 1)
