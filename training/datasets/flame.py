"""FLAME's parameters to vertices, with the model file that the user has licensed.

Li et al. 2017: a template plus linear shapes (identity, expression, pose correctives), then linear
blend skinning over five joints: global, neck, jaw, left eye, right eye.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.spatial.transform import Rotation

from . import restricted_pickle
from .errors import DatasetError
from .restricted_pickle import ChumpyRecord, SparseRecord

Floats = npt.NDArray[np.float32]

JAW = 2
IDENTITIES = 300
_KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights")


@dataclass(frozen=True)
class Flame:
    """The model's arrays; V vertices, J joints, metres."""

    template: Floats  # (V, 3)
    identities: Floats  # (300, 3 V)
    expressions: Floats  # (E, 3 V)
    correctives: Floats  # (9 (J - 1), 3 V)
    regressor: Floats  # (J, V)
    parents: tuple[int, ...]  # of joints 1 .. J - 1
    weights: Floats  # (V, J)

    def vertices(self, shape: Floats, expression: Floats, jaw: Floats) -> Floats:
        """Positions (T, V, 3), metres, of shape (T, 300), expression (T, <= E) and the jaw's
        rotation vector (T, 3), the head not turning."""
        flat = self.template.reshape(1, -1) + shape @ self.identities[: shape.shape[1]]
        shaped = (flat + expression @ self.expressions[: expression.shape[1]]).reshape(
            len(shape), -1, 3
        )
        turns = np.tile(np.eye(3, dtype=np.float32), (len(shape), len(self.regressor), 1, 1))
        turns[:, JAW] = Rotation.from_rotvec(jaw).as_matrix()
        bent = (turns[:, 1:] - np.eye(3, dtype=np.float32)).reshape(len(shape), -1)
        posed = shaped + (bent @ self.correctives).reshape(shaped.shape)
        return self._skinned(posed, self.regressor @ shaped, turns)

    def _skinned(self, posed: Floats, joints: Floats, turns: Floats) -> Floats:
        """Linear blend skinning of posed (T, V, 3) by turns (T, J, 3, 3) about joints (T, J, 3)."""
        turned, placed = [turns[:, 0]], [joints[:, 0]]
        for joint, parent in enumerate(self.parents, start=1):
            bone = (joints[:, joint] - joints[:, parent])[..., None]
            turned.append(turned[parent] @ turns[:, joint])
            placed.append(placed[parent] + (turned[parent] @ bone)[..., 0])
        moved = np.zeros_like(posed)
        for joint, (turn, place) in enumerate(zip(turned, placed, strict=True)):
            around = (posed - joints[:, None, joint]) @ turn.transpose(0, 2, 1) + place[:, None]
            moved += self.weights[:, joint, None] * around
        return moved


def load(path: Path) -> Flame:
    """FLAME's model file as published (.pkl), or an .npz of the same arrays.

    Pickled chumpy and scipy.sparse objects are read without those classes; raises DatasetError.
    """
    arrays = _arrays(path)
    vertices = len(arrays["v_template"])
    shapes = arrays["shapedirs"].reshape(3 * vertices, -1).T
    parents = arrays["kintree_table"][0, 1:].astype(np.int64)
    flame = Flame(
        arrays["v_template"].astype(np.float32),
        shapes[:IDENTITIES].astype(np.float32),
        shapes[IDENTITIES:].astype(np.float32),
        arrays["posedirs"].reshape(3 * vertices, -1).T.astype(np.float32),
        arrays["J_regressor"].astype(np.float32),
        tuple(parents.tolist()),
        arrays["weights"].astype(np.float32),
    )
    _check(path, flame)
    return flame


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The model's arrays as they lie in the file."""
    found = _npz(path) if path.suffix == ".npz" else restricted_pickle.load_model(path)
    lacking = [key for key in _KEYS if not isinstance(found, dict) or key not in found]
    if lacking:
        raise DatasetError(path, f"is no FLAME model: it has no {', '.join(lacking)}")
    return {key: _dense(path, key, found[key]) for key in _KEYS}


def _npz(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError) as error:
        raise DatasetError(path, f"is no .npz of arrays ({error})") from error


def _dense(path: Path, key: str, value: Any) -> npt.NDArray[Any]:
    """A plain array, a sparse matrix, or what a chumpy object last computed."""
    try:
        if isinstance(value, SparseRecord):
            state = value.state
            parts = (state["data"], state["indices"], state["indptr"])
            return np.asarray(sparse.csc_matrix(parts, shape=state["_shape"]).toarray())
        if isinstance(value, ChumpyRecord):
            return _chumpy(value)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(path, f"{key} is an object of a kind that cannot be read") from error
    return np.asarray(value)


def _chumpy(record: ChumpyRecord) -> npt.NDArray[Any]:
    """`Ch` keeps its array as x; `Select` picks entries of another and gives them a shape."""
    state = record.state
    if "x" in state:
        return np.asarray(state["x"])
    source = state["a"]
    whole = _chumpy(source) if isinstance(source, ChumpyRecord) else np.asarray(source)
    return np.asarray(whole.ravel()[state["idxs"]].reshape(state["preferred_shape"]))


def _check(path: Path, flame: Flame) -> None:
    vertices, joints = len(flame.template), len(flame.parents) + 1
    expected = {
        "identities": (IDENTITIES, 3 * vertices),
        "correctives": (9 * (joints - 1), 3 * vertices),
        "regressor": (joints, vertices),
        "weights": (vertices, joints),
    }
    for name, shape in expected.items():
        if getattr(flame, name).shape != shape:
            raise DatasetError(path, f"its {name} are {getattr(flame, name).shape}, not {shape}")
    if not all(0 <= parent < joint for joint, parent in enumerate(flame.parents, start=1)):
        raise DatasetError(path, f"its joints' parents are {flame.parents}")
