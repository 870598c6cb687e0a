"""Closed lips that touch: the gap between their surfaces is measured and taken out; lids, too.

Shapes add up linearly, but rounded lips that pucker, smile and press roll over each other: a
closure that is exact at a few vertices is a slit in one place and an overlap in another.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training import contact, lip_gap
from training.corpus.articulation import Array
from training.lip_gap import Lip, Lips

# Frames sealed this far are solved for; others follow in between.
_SEALED = 0.9
# Where the lips' line bends, this much slit is left rather than deeper overlap.
_SLIT_M = 2.5e-4
_ROUNDS = 2
# A closed eye's lids overlap this much, seen from in front, so that no slit is left.
_LID_OVERLAP_M = 4e-4


class Closure(NamedTuple):
    """The lips of a rig: rest (L, 3), fields (S, L, 3) metres, and the gaps of lips that touch."""

    lips: Lips
    rest: Array
    fields: Array
    touching_m: Array  # (columns,): nothing, or the overlap that the rest pose has already
    close: int  # row of mouthClose
    lower: tuple[int, int]  # rows of mouthLowerDown_L and _R
    close_m: float  # how far mouthClose and the two LowerDown close the lips at weight 1
    lower_m: float

    def excess_m(self, weights: Array) -> tuple[float, float]:
        """Widest and narrowest gap (metres) over touching lips of one frame's weights (S,)."""
        moved = self.rest + np.tensordot(weights, self.fields, axes=1)
        excess = self.lips.gaps(moved) - self.touching_m
        if np.isnan(excess).all():
            return 0.0, 0.0
        return float(np.nanmax(excess)), float(np.nanmin(excess))

    def closed(self, weights: npt.NDArray[np.float32], seal: Array) -> npt.NDArray[np.float32]:
        """Weights (T, S) whose sealed frames (seal (T,), 0..1) neither gape nor overlap."""
        sealed = np.flatnonzero(seal > _SEALED)
        if not len(sealed):
            return weights
        lift_m = np.array([self._lift_m(weights[frame].astype(float)) for frame in sealed])
        everywhere = np.interp(np.arange(len(weights)), sealed, lift_m) * seal
        return self._lifted(weights, everywhere)

    def _lift_m(self, weights: Array) -> float:
        """How much further the lips of one frame (S,) must close; negative: less far."""
        lift = 0.0
        for _ in range(_ROUNDS):
            frame = self._lifted(weights[None].astype(np.float32), np.array([lift]))[0]
            widest, narrowest = self.excess_m(frame.astype(float))
            lift += max((widest + narrowest) / 2, widest - _SLIT_M)
        return lift

    def _lifted(self, weights: npt.NDArray[np.float32], lift_m: Array) -> npt.NDArray[np.float32]:
        """Weights (T, S) with lips closed by lift (T,) more, by mouthClose or less parting."""
        lifted = weights.copy()
        wanted = weights[:, self.close] + lift_m / self.close_m
        lifted[:, self.close] = np.clip(wanted, 0.0, 1.0)
        parting = np.minimum(wanted, 0.0) * self.close_m / self.lower_m
        for row in self.lower:
            lifted[:, row] = np.clip(lifted[:, row] - parting, 0.0, 1.0)
        return lifted


class Lids(NamedTuple):
    """One eye's lids: their gap at rest (R,) and what each shape adds (S, R), metres, at R places.

    Corners, where nothing moves, are left out.
    """

    resting_m: Array
    gains_m: Array
    blink: int  # row of eyeBlink

    def eased(self, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Weights (T, S) whose blinks stop where the lids meet, whatever else has lowered them."""
        overlap = -(self.resting_m + weights @ self.gains_m) - _LID_OVERLAP_M
        share = overlap / -self.gains_m[self.blink]
        eased = weights.copy()
        eased[:, self.blink] -= np.clip(share.max(axis=1), 0.0, weights[:, self.blink])
        return eased


def lids_of(rig: Path) -> list[Lids]:
    """Both eyes' lids of a rig file, right first; none for a rig without landmarks."""
    with np.load(rig, allow_pickle=False) as file:
        if "landmarks" not in file.files:
            return []
        names, rest, fields = file["names"].tolist(), file["template"].astype(float), file["fields"]
        triangles, marks = file["faces"].astype(np.int64), file["landmarks"].astype(np.int64)
    found = []
    for opening, name in ((1, "eyeBlink_R"), (2, "eyeBlink_L")):
        rims, blink = contact.rims_of(rest, triangles, marks, opening), names.index(name)
        x, height = rest[rims.lower, 0], fields[:, :, contact.UP].astype(float)
        upper = np.stack([np.interp(x, rest[rims.upper, 0], row[rims.upper]) for row in height])
        gains = upper - height[:, rims.lower]
        resting = contact.along(x, rims.upper, rest, rest)[:, contact.UP] - rest[rims.lower, 1]
        moving = gains[blink] < 0.3 * gains[blink].min()
        found.append(Lids(resting[moving], gains[:, moving], blink))
    return found


def closure_of(rig: Path) -> Closure | None:
    """The closure of a rig file; None for a rig without landmarks."""
    with np.load(rig, allow_pickle=False) as file:
        if "landmarks" not in file.files:
            return None
        names, rest = file["names"].tolist(), file["template"].astype(float)
        fields, marks = file["fields"], file["landmarks"].astype(np.int64)
        lips = lip_gap.lips_of(rest, file["faces"].astype(np.int64), marks)
    used = np.unique(np.concatenate([lips.upper.corners.ravel(), lips.lower.corners.ravel()]))
    own = Lips(_renumbered(lips.upper, used), _renumbered(lips.lower, used), lips.columns)
    few, shapes = rest[used], fields[:, used].astype(float)
    lower = (names.index("mouthLowerDown_L"), names.index("mouthLowerDown_R"))
    resting = own.gaps(few)
    touching = np.minimum(np.nan_to_num(resting), 0.0)
    close, closure = names.index("mouthClose"), Closure(own, few, shapes, touching, 0, lower, 1, 1)
    closure = closure._replace(close=close)
    return closure._replace(
        close_m=_travel(closure, (close,), -1), lower_m=_travel(closure, lower, 1)
    )


def _travel(closure: Closure, rows: tuple[int, ...], sign: int) -> float:
    """Mean metres that shapes at weight 1 open (sign 1) or close (-1) the lips' middle."""
    weights = np.zeros(len(closure.fields))
    weights[list(rows)] = 0.04
    gaps = [
        closure.lips.gaps(closure.rest + np.tensordot(w, closure.fields, 1))
        for w in (np.zeros_like(weights), weights)
    ]
    return float(sign * np.nanmean(gaps[1] - gaps[0]) / 0.04)


def _renumbered(lip: Lip, used: npt.NDArray[np.int64]) -> Lip:
    return Lip(np.searchsorted(used, lip.corners), lip.mix)
