"""Text in a narrow sidebar: Blender's labels do not wrap by themselves."""

import textwrap

import bpy

from .words import translated

SIDEBAR_LETTERS = 32


def wrapped(text: str, width: int = SIDEBAR_LETTERS) -> list[str]:
    """The text in lines of at most `width` letters, between words but for words longer than a line,
    such as paths."""
    return textwrap.wrap(text, width, break_on_hyphens=False)


def draw_wrapped(layout: bpy.types.UILayout, text: str, icon: str = "NONE",
                 width: int = SIDEBAR_LETTERS) -> None:
    """The text as labels below each other, the icon before the first."""
    lines = layout.column(align=True)
    for line in wrapped(translated(text), width):
        lines.label(text=line, icon=icon, translate=False)
        icon = "NONE" if icon == "NONE" else "BLANK1"
