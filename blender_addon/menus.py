"""The buttons as menu entries: Blender's search (F3) finds what lies in a menu, and an entry can be
given a key of one's own (right-click, Assign Shortcut)."""

from typing import Any

import bpy

# None draws a line.
ENTRIES: tuple[str | None, ...] = (
    "animate_from_audio", "cancel", None,
    "list_lines", "animate_scene", None,
    "add_emotion", "set_emotion", "remove_emotion", "clear_emotions", "paint_heard", None,
    "generate_again", "redo_range", "play_take", "keep_take", "delete_take", "mix_takes",
    "share_sliders", None,
    "add_blinks", "remove_blinks", None,
    "bake", "push_down", "clear", None,
    "match_vertices", "self_test",
)
_HOLDERS = ("VIEW3D_MT_object", "SEQUENCER_MT_strip")


class SOLILOQUY_MT_main(bpy.types.Menu):  # type: ignore[misc] # noqa: N801
    """Everything that the Soliloquy tab can do"""

    bl_label = "Soliloquy"

    def draw(self, _context: bpy.types.Context) -> None:
        """One entry per button, then the exports."""
        layout: Any = self.layout
        for name in ENTRIES:
            if name is None:
                layout.separator()
            else:
                layout.operator(f"soliloquy.{name}")
        layout.menu("SOLILOQUY_MT_export")


def draw_entry(menu: Any, _context: bpy.types.Context) -> None:
    """The submenu at the end of Object and of Strip."""
    menu.layout.separator()
    menu.layout.menu("SOLILOQUY_MT_main", icon="PLAY_SOUND")


def attach() -> None:
    """Put it into Blender's menus."""
    for name in _HOLDERS:
        getattr(bpy.types, name).append(draw_entry)


def detach() -> None:
    """Take it out again."""
    for name in _HOLDERS:
        getattr(bpy.types, name).remove(draw_entry)


CLASSES = (SOLILOQUY_MT_main,)
