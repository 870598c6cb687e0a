"""The model packs a user can choose from: those installed, and those in the user's own folder."""

from pathlib import Path

import bpy

from . import preferences
from ._backend import errors, pack


def names(context: bpy.types.Context) -> list[str]:
    """Names to suggest: shipped packs by name, the user's own by path."""
    own = [str(path) for path in _own(context)]
    return [*(path.stem if path.suffix == ".zip" else path.name for path in pack.installed()), *own]


def styles(context: bpy.types.Context, model: str) -> tuple[str, ...]:
    """The styles of a model, or none when it cannot be read: this only feeds suggestions."""
    try:
        return pack.read_manifest(locate(context, model)).styles
    except errors.SoliloquyError:
        return ()


def locate(context: bpy.types.Context, model: str) -> Path:
    """Where a model lies, by name or path; raises PackError naming those there are."""
    for path in _own(context):
        if model in (path.name, path.stem):
            return path
    return pack.find(bpy.path.abspath(model) if model.startswith("//") else model)


def _own(context: bpy.types.Context) -> list[Path]:
    chosen = preferences.machine(context).models_folder
    folder = Path(chosen)
    if not chosen or not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir())
            if path.suffix == ".zip" or (path / pack.MANIFEST).is_file()]
