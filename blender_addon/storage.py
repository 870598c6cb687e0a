"""How a take is kept: few shape keys, one shape key per frame, or a point cache in a file."""

import os
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import bpy

from . import audio_source, exact, face, regions, takes, timeline
from ._backend import pack
from .job import Request

Prepare = Callable[[list[Path], face.Face], list[Any]]
Preparing = Callable[[Request, audio_source.PlacedSound, face.MeshArrays, pack.Pack], Prepare]


def compact(request: Request, _placed: audio_source.PlacedSound, _mesh: face.MeshArrays,
            chosen: pack.Pack) -> Prepare:
    """Takes on few shape keys."""
    return lambda paths, fits: takes.prepare(paths, fits, request.sound.path, regions.read(chosen),
                                             request.takes)


def preparing(settings: Any, scene: bpy.types.Scene, target: bpy.types.Object) -> Preparing:
    """What is to be made of motion files by the panel's choice."""
    if settings.storage == "COMPACT":
        return compact
    fps, name = audio_source.scene_fps(scene), target.name
    folder = _folder(settings.cache_folder.strip())

    def exactly(request: Request, placed: audio_source.PlacedSound, mesh: face.MeshArrays,
                chosen: pack.Pack) -> Prepare:
        grid, audio = _grid(placed.first_frame, fps, chosen), request.sound.path
        if settings.storage == "FRAMES":
            return lambda paths, fits: exact.frames(paths, fits, audio, grid, mesh.rest)
        into = list(islice(_free_paths(folder, f"{name} {placed.name}"), request.takes))
        return lambda paths, fits: exact.caches(paths, fits, audio, grid, mesh.rest, into)

    return exactly


def draw(layout: Any, settings: Any) -> None:
    """The choice."""
    layout.prop(settings, "storage")
    if settings.storage == "CACHE":
        layout.prop(settings, "cache_folder")


def _grid(first_frame: float, fps: float, chosen: pack.Pack) -> exact.Grid:
    first = timeline.first_key_frame_up(first_frame)
    return exact.Grid(fps, first, (first - first_frame) / fps, timeline.fade_frames_nearest(fps),
                      regions.read(chosen).lip_pairs)


def _folder(chosen: str) -> Path:
    """Where point caches go; a path that is not absolute is meant beside the .blend file."""
    beside = chosen if os.path.isabs(chosen) or chosen.startswith("//") else f"//{chosen}"
    return Path(bpy.path.abspath(beside))


def _free_paths(folder: Path, stem: str) -> Iterator[Path]:
    """Files that are not there yet: a cache that another take plays from is never overwritten."""
    clean = bpy.path.clean_name(stem, replace=" ")
    numbered = (folder / f"{clean} {number}.pc2" for number in count(1))
    return (path for path in numbered if not os.path.exists(path))
