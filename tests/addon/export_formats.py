"""Which formats this Blender was built to export, told without the code under test."""

import bpy
import pytest

from blender_addon.exports import formats

# Debian's 4.3 has no USD, and glTF is an add-on that a build may leave out.
NOT_BUILT = {"ALEMBIC": not bpy.app.build_options.alembic, "USD": not bpy.app.build_options.usd,
             "GLTF": "gltf" not in dir(bpy.ops.export_scene)}


def need(kind: str) -> None:
    """Skip the test where the format was not built; fail where the export says otherwise."""
    missing = NOT_BUILT.get(kind, False)
    assert bool(formats.why_missing(kind)) == missing
    if missing:
        pytest.skip(f"this Blender was built without {kind}")
