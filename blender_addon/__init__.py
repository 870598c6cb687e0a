"""Soliloquy: speech to face animation, as a Blender extension.

Blender is imported only inside register(), so that the modules that need no Blender (worker,
timeline, compact_keys, face_check, job) can be used and tested without it.
"""


def register() -> None:
    """Add the panels, operators and settings to Blender."""
    from .registration import register_everything

    register_everything()


def unregister() -> None:
    """Take everything out of Blender again and stop the worker."""
    from .registration import unregister_everything

    unregister_everything()
