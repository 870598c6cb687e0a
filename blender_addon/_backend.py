"""The one door from the add-on to backend code."""

from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__ == "blender_addon":  # a repository checkout
    from backend import emotions, errors, messages, motion, pack, redo, sound_kinds
else:  # installed: build_addon.py placed backend/ beside this file
    from .backend import emotions, errors, messages, motion, pack, redo, sound_kinds

__all__ = ["emotions", "errors", "messages", "motion", "pack", "redo", "sound_kinds"]
