"""Where this user's own files lie: never in the extension's folder, which an update replaces."""

from pathlib import Path

import bpy


def folder(name: str, create: bool = False) -> Path:
    """The user's folder for 'models' or 'logs'; `create` makes it."""
    try:
        return Path(bpy.utils.extension_path_user(__package__, path=name, create=create))
    except ValueError:  # a checkout is no extension
        place = Path(bpy.utils.user_resource("DATAFILES")) / "soliloquy" / name
    if create:
        place.mkdir(parents=True, exist_ok=True)
    return place
