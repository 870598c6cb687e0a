"""Texts that Blender's translation sees whole: values are filled in only after it."""

from typing import Any

import bpy


def translated(text: str, **values: Any) -> str:
    """The text in the language of the interface, its {fields} filled in."""
    found: str = bpy.app.translations.pgettext_iface(text)
    return found.format(**values) if values else found
