"""rig.npz as training reads it: rest positions, displacement fields, masks.

Motion is linear in the rig's weights, so displacements are made per batch and never stored.
"""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.errors import SoliloquyError

Array = NDArray[np.float32]

MASKS = (
    "mask_lips",
    "mask_upper_lip",
    "mask_lower_lip",
    "mask_upper_face",
    "mask_eyes",
    "mask_jaw",
)


class RigFileError(SoliloquyError):
    """The rig is missing, damaged, or does not fit."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("rig_file", message, hint)


class Rig(NamedTuple):
    """A topology's rest positions and what each named weight does to it, in metres."""

    names: tuple[str, ...]
    fields: Array  # (K, V, 3)
    template: Array  # (V, 3)
    faces: NDArray[np.int64]  # (F, 3)
    masks: dict[str, NDArray[np.bool_]]  # each of MASKS, (V,)
    lip_pairs: NDArray[np.int32]  # (P, 2): upper, lower
    landmarks: NDArray[np.int64]  # (51,) vertices; (0,) in a rig without, as the next three
    jaw_motion: Array  # (K, 6) of the lower teeth: metres and rotation vector
    jaw_pivot: Array  # (3,)
    metres_per_unit: float  # of the mesh file it was made on

    @property
    def rest(self) -> NDArray[np.float64]:
        """The template (V, 3) in double precision, for geometry."""
        return self.template.astype(np.float64)

    def field(self, name: str) -> NDArray[np.float64]:
        """One shape's displacements (V, 3)."""
        field: NDArray[np.float64] = self.fields[self.names.index(name)].astype(np.float64)
        return field

    def displacements(self, weights: Array) -> Array:
        """Weights (T, K) -> displacements (T, V, 3), metres."""
        return np.tensordot(weights, self.fields, axes=1).astype(np.float32)


def read(path: Path) -> Rig:
    """Read rig.npz; raises RigFileError."""
    try:
        with np.load(path, allow_pickle=False) as data:
            return _checked(path, {key: data[key] for key in data.files})
    except FileNotFoundError as error:
        raise RigFileError(f"{path} does not exist", "run: python -m training rig") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        message = f"{path} is no rig: {error}"
        raise RigFileError(message, "delete it and run: python -m training rig") from error


def write(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Write a rig file whole or not at all; a link to another one is replaced, not followed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)
    os.replace(part, path)


def _checked(path: Path, data: dict[str, NDArray[np.generic]]) -> Rig:
    rig = Rig(
        tuple(str(name) for name in data["names"]),
        data["fields"].astype(np.float32),
        data["template"].astype(np.float32),
        data["faces"].astype(np.int64),
        {key: data[key].astype(np.bool_) for key in MASKS},
        data["lip_pairs"].astype(np.int32),
        data.get("landmarks", np.zeros(0)).astype(np.int64),
        data.get("jaw_motion", np.zeros((0, 6))).astype(np.float32),
        data.get("jaw_pivot", np.zeros(0)).astype(np.float32),
        float(data.get("metres_per_unit", np.ones(()))),
    )
    if rig.fields.shape != (len(rig.names), len(rig.template), 3):
        raise RigFileError(f"{path}: fields {rig.fields.shape} do not fit it", "make it again")
    return rig
