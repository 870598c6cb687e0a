"""The model packs a user can choose from: installed by the user, in a folder of theirs, shipped."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import bpy

from . import packs, preferences, user_files
from ._backend import errors, pack


class Manners(NamedTuple):
    """What a model knows of speaking: names of styles and of emotions."""

    styles: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()


def names(context: bpy.types.Context) -> list[str]:
    """Names to suggest."""
    return list(dict.fromkeys(entry.name for entry in entries(context)))


def manners(context: bpy.types.Context, model: str) -> Manners:
    """What a model knows, remembered until `forget`; nothing where it cannot be read."""
    return _manners(bpy.path.abspath(model), tuple(folders(context)))


def locate(context: bpy.types.Context, model: str) -> Path:
    """Where a model lies, by name or path; raises PackError naming those there are."""
    return _locate(bpy.path.abspath(model), folders(context))


def opened(context: bpy.types.Context, model: str) -> pack.Pack:
    """A model by name or path, by its manifest alone: to hash hundreds of MB would hold Blender up.
    What is read of it is checked then, and the worker checks all of it. Raises PackError."""
    path = locate(context, model)
    return pack.Pack(pack.read_manifest(path), path)


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
    _manners.cache_clear()


@lru_cache(maxsize=4)
def _entries(places: tuple[Path, ...]) -> tuple[packs.Entry, ...]:
    return tuple(packs.installed(list(places)))


@lru_cache(maxsize=16)
def _manners(model: str, places: tuple[Path, ...]) -> Manners:
    try:
        manifest = pack.read_manifest(_locate(model, places))
    except errors.SoliloquyError:
        return Manners()
    return Manners(manifest.styles, manifest.emotions)


def _locate(model: str, places: Iterable[Path]) -> Path:
    for folder in places:
        for path in packs.in_folder(folder):
            if model in (path.name, path.stem):
                return path
    return pack.find(model)
