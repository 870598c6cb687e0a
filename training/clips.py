"""What both stages train on: a rig's displacement fields and the corpus' weight tracks.

Motion is linear in the rig's weights, so displacements are made per batch and never stored.
"""

import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.errors import SoliloquyError

Array = NDArray[np.float32]


class DataError(SoliloquyError):
    """The rig or the corpus is missing, damaged, or does not fit."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("training_data", message, hint)


class Rig(NamedTuple):
    """rig.npz: a topology's rest positions and what each named weight does to it, in metres."""

    names: tuple[str, ...]
    fields: Array  # (K, V, 3)
    template: Array  # (V, 3)
    faces: NDArray[np.int64]  # (F, 3)
    masks: dict[str, NDArray[np.bool_]]  # mask_lips, mask_upper_face, ... (V,)
    lip_pairs: NDArray[np.int32]  # (P, 2): upper, lower

    def displacements(self, weights: Array) -> Array:
        """Weights (T, K) -> displacements (T, V, 3), metres."""
        return np.tensordot(weights, self.fields, axes=1).astype(np.float32)


class Phone(NamedTuple):
    """A labelled stretch of speech, in seconds."""

    start_s: float
    end_s: float
    label: str


class Clip(NamedTuple):
    """One row of clips.jsonl with its weight track (T, K)."""

    name: str
    split: str
    style: str
    emotion: str
    seconds: float
    wav: Path
    weights: Array
    phones: tuple[Phone, ...]


def read_rig(path: Path) -> Rig:
    """Read rig.npz; raises DataError."""
    with _archive(path, "rig") as data:
        masks = {key: data[key].astype(bool) for key in data.files if key.startswith("mask_")}
        names = tuple(str(name) for name in data["names"])
        fields, template = (data[key].astype(np.float32) for key in ("fields", "template"))
        faces, pairs = data["faces"].astype(np.int64), data["lip_pairs"].astype(np.int32)
    if fields.shape != (len(names), len(template), 3):
        raise DataError(f"{path}: fields {fields.shape} do not fit its names", "make it again")
    return Rig(names, fields, template, faces, masks, pairs)


def read_clips(corpus: Path, split: str, weight_count: int) -> list[Clip]:
    """The clips of one split, in order of name; raises DataError when there are none."""
    index = corpus / "clips.jsonl"
    if not index.is_file():
        raise DataError(f"{index} does not exist", "run: python -m training synth")
    rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line]
    chosen = sorted((row for row in rows if row["split"] == split), key=lambda row: str(row["id"]))
    if not chosen:
        raise DataError(f"{index} has no clip in the split {split}", "make a larger corpus")
    return [_clip(corpus, row, weight_count) for row in chosen]


def style_names(clips: list[Clip]) -> list[str]:
    """The styles that occur, sorted: the order of the one-hot vector."""
    return sorted({clip.style for clip in clips})


def _clip(corpus: Path, row: dict[str, Any], weight_count: int) -> Clip:
    with _archive(corpus / row["track"], "synth") as track:
        weights = track["weights"].astype(np.float32)
        times = zip(track["start_s"], track["end_s"], track["label"], strict=True)
        phones = tuple(Phone(float(start), float(end), str(label)) for start, end, label in times)
    if weights.shape[1] != weight_count:
        message = f"{row['track']} has {weights.shape[1]} weights, the rig {weight_count}"
        raise DataError(message, "make the corpus again with this rig")
    return Clip(
        str(row["id"]),
        row["split"],
        row["style"],
        row["emotion"],
        float(row["seconds"]),
        corpus / row["wav"],
        weights,
        phones,
    )


def _archive(path: Path, made_by: str) -> "np.lib.npyio.NpzFile":
    try:
        archive: np.lib.npyio.NpzFile = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        hint = f"run: python -m training {made_by}"
        raise DataError(f"{path} does not exist", hint) from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read", f"delete it and run {made_by}") from error
    return archive
