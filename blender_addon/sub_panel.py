"""What the closed parts of the Soliloquy tab share."""

from typing import Any


class SubPanel:
    """A part of the tab, closed at first."""

    bl_category = "Soliloquy"
    bl_region_type = "UI"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender asks for a plain set


def split(layout: Any) -> Any:
    """A layout with names on the left of its fields, and without the dots of animation."""
    layout.use_property_split = True
    layout.use_property_decorate = False
    return layout
