"""The model packs a user can choose from: installed by the user, in a folder of theirs, shipped."""

from functools import lru_cache
from pathlib import Path

import bpy

from . import packs, preferences, user_files
from ._backend import errors, pack


def names(context: bpy.types.Context) -> list[str]:
    """Names to suggest."""
    return list(dict.fromkeys(entry.name for entry in entries(context)))


def styles(context: bpy.types.Context, model: str) -> tuple[str, ...]:
    """The styles of a model, or none when it cannot be read: this only feeds suggestions."""
    try:
        return pack.read_manifest(locate(context, model)).styles
    except errors.SoliloquyError:
        return ()


def locate(context: bpy.types.Context, model: str) -> Path:
    """Where a model lies, by name or path; raises PackError naming those there are."""
    for folder in folders(context):
        for path in packs.in_folder(folder):
            if model in (path.name, path.stem):
                return path
    return pack.find(bpy.path.abspath(model) if model.startswith("//") else model)


def folders(context: bpy.types.Context) -> list[Path]:
    """Where the user's own models lie: those installed, then those in the preferences' folder."""
    chosen = preferences.machine(context).models_folder
    return [user_files.folder("models"), *([Path(chosen)] if chosen else [])]


def entries(context: bpy.types.Context) -> tuple[packs.Entry, ...]:
    """All models in words, remembered until `forget`: a drawing must not read files."""
    return _entries(tuple(folders(context)))


def forget() -> None:
    """Look at the folders anew."""
    _entries.cache_clear()


@lru_cache(maxsize=4)
def _entries(places: tuple[Path, ...]) -> tuple[packs.Entry, ...]:
    return tuple(packs.installed(list(places)))
