"""Regions that measures are taken on, from the rig or from a user's own file, always named.

A published lip error depends on which of several lip lists it was measured on, so a region's name
says where it came from and how many vertices it has.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import SoliloquyError

from .datasets import restricted_pickle

Ints = NDArray[np.int64]
Masks = Mapping[str, NDArray[np.generic]]


class MaskError(SoliloquyError):
    """A mask that is missing, damaged, or does not fit the mesh."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("mask", message, hint)


@dataclass(frozen=True)
class Region:
    """Vertices (R,) and where they came from, such as "lve.txt (4996 vertices)"."""

    name: str
    vertices: Ints


def everywhere(count: int) -> Region:
    """All vertices of a mesh."""
    return Region(f"all ({count} vertices)", np.arange(count))


def find(wanted: str, own: Masks, count: int) -> Region:
    """A region of a mesh of ``count`` vertices; raises MaskError, DatasetError.

    ``wanted`` is a mask of the rig ("mask_lips"), a text file of comma-separated vertex numbers
    ("lve.txt"), or a file of named masks and its entries ("FLAME_masks.pkl:eye_region+forehead",
    .npz alike); names joined with + are united.
    """
    place, _, entries = wanted.rpartition(":")
    if Path(wanted).suffix == ".txt":
        return _region(Path(wanted).name, [_read_text(Path(wanted))], count)
    if Path(place).suffix in (".npz", ".pkl"):
        return _united(f"{Path(place).name}:{entries}", entries, _read_masks(Path(place)), count)
    return _united(wanted, wanted, own, count)


def _united(name: str, entries: str, masks: Masks, count: int) -> Region:
    for entry in entries.split("+"):
        if entry not in masks:
            known = ", ".join(sorted(masks))
            raise MaskError(f"there is no mask {entry!r} in {name}", f"choose of: {known}")
    return _region(name, [_numbers(masks[entry]) for entry in entries.split("+")], count)


def _numbers(mask: NDArray[np.generic]) -> Ints:
    """A boolean mask (V,) or a list of vertex numbers as numbers."""
    return np.flatnonzero(mask) if mask.dtype == np.bool_ else mask.astype(np.int64).ravel()


def _region(name: str, parts: list[Ints], count: int) -> Region:
    vertices = np.unique(np.concatenate(parts))
    if not len(vertices) or vertices[0] < 0 or vertices[-1] >= count:
        reach = f"{vertices[0]} to {vertices[-1]}" if len(vertices) else "nothing"
        message = f"mask {name} names {reach} on a mesh of {count} vertices"
        raise MaskError(message, "give the mask of this topology")
    return Region(f"{name} ({len(vertices)} vertices)", vertices)


def _read_text(path: Path) -> Ints:
    try:
        words = path.read_text(encoding="utf-8").replace(",", " ").split()
        return np.array([int(word) for word in words], dtype=np.int64)
    except (OSError, ValueError) as problem:
        raise MaskError(f"{path} is no mask: {problem}", "it holds vertex numbers") from problem


def _read_masks(path: Path) -> Masks:
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        found = restricted_pickle.load(path)  # raises DatasetError
        return {str(name): np.asarray(mask) for name, mask in dict(found).items()}
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as problem:
        raise MaskError(f"{path} holds no masks: {problem}", "give .npz or .pkl") from problem
