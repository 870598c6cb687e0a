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
_SLIT_M = 3.5e-4
_ROUNDS = 3
# No frame's lips may overlap more than this beyond the rest pose; where they do, a mouth's corner
# opens less than its middle, so each round asks for more.
_DEEPEST_M = 4e-4
_OVERDONE = 1.25
_PARTING_ROUNDS = 8
# Lips this far apart cannot overlap.
_APART_MM = 4.0
# Shapes that raise or lower the lips' middle, sides or halves against the rest.
_EVENING = (
    "mouthPress_L", "mouthPress_R", "mouthRollUpper", "mouthRollLower", "mouthShrugUpper",
    "mouthShrugLower", "mouthUpperUp_L", "mouthUpperUp_R", "mouthLowerDown_L", "mouthLowerDown_R",
    "mouthPucker", "mouthDimple_L", "mouthDimple_R", "mouthSmile_L", "mouthSmile_R",
)  # fmt: skip
# A weight of 1 is worth levelling this much.
_EFFORT_M = 1e-3
_SMALL = 0.04
# A closed eye's lids overlap this much, seen from in front, so that no slit is left.
_LID_OVERLAP_M = 2e-4


Ints = npt.NDArray[np.int64]


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
    evening: Ints  # rows of shapes that move parts of a lip
    even: Array  # (evening, columns): their weights that take out a metre of a column's gap

    def excess_m(self, weights: Array) -> tuple[float, float]:
        """Widest and narrowest gap (metres) over touching lips of one frame's weights (S,)."""
        excess = self._columns_m(weights)
        if np.isnan(excess).all():
            return 0.0, 0.0
        return float(np.nanmax(excess)), float(np.nanmin(excess))

    def closed(self, weights: npt.NDArray[np.float32], seal: Array) -> npt.NDArray[np.float32]:
        """Weights (T, S) whose sealed frames (seal (T,), 0..1) neither gape nor overlap."""
        sealed = np.flatnonzero(seal > _SEALED)
        if not len(sealed):
            return weights
        change = np.stack([self._solved(weights[frame]) for frame in sealed]) - weights[sealed]
        frames, closed = np.arange(len(weights)), weights.copy()
        for row in np.flatnonzero(change.any(axis=0)):
            added = np.interp(frames, sealed, change[:, row]) * seal
            closed[:, row] = np.clip(closed[:, row] + added, 0.0, 1.0)
        return closed

    def parted(
        self, weights: npt.NDArray[np.float32], opening_mm: Array
    ) -> npt.NDArray[np.float32]:
        """Weights (T, S) whose lips nowhere overlap, given their least opening (T,).

        Pouting or crooked lips that only just touch lie in each other in one place.
        """
        parted = weights.copy()
        for frame in np.flatnonzero(opening_mm < _APART_MM):
            parted[frame] = self._cleared(weights[frame])
        return parted

    def _cleared(self, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """One frame's weights (S,) with lips parted by as much as they overlap."""
        cleared = weights.copy()
        for _ in range(_PARTING_ROUNDS):
            lift = self.excess_m(cleared.astype(float))[1] + _DEEPEST_M
            if lift >= 0.0:
                break
            cleared = self._lifted(cleared[None], np.array([_OVERDONE * lift]))[0]
        return cleared

    def _columns_m(self, weights: Array) -> Array:
        moved = self.rest + np.tensordot(weights, self.fields, axes=1)
        return self.lips.gaps(moved) - self.touching_m

    def _solved(self, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """One frame's weights (S,) with even lips, closed to where they touch."""
        solved = weights.copy()
        for _ in range(_ROUNDS):
            excess = np.nan_to_num(self._columns_m(solved.astype(float)))
            evened = solved[self.evening] + self.even @ (excess - excess.mean())
            solved[self.evening] = np.clip(evened, 0.0, 1.0)
            widest, narrowest = self.excess_m(solved.astype(float))
            lift = max((widest + narrowest) / 2, widest - _SLIT_M)
            solved = self._lifted(solved[None], np.array([lift]))[0]
        return solved

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
    row = {name: number for number, name in enumerate(names)}
    close, lower = row["mouthClose"], (row["mouthLowerDown_L"], row["mouthLowerDown_R"])
    evening = np.array([row[name] for name in _EVENING if name in row])
    slopes = {k: _slopes(own, few, shapes[k]) for k in {close, *lower, *evening.tolist()}}
    return Closure(
        own, few, shapes, np.minimum(np.nan_to_num(own.gaps(few)), 0.0), close, lower,
        close_m=-float(slopes[close].mean()),
        lower_m=float(sum(slopes[k].mean() for k in lower)),
        evening=evening,
        even=_even(np.stack([slopes[k] for k in evening])),
    )  # fmt: skip


def _slopes(lips: Lips, rest: Array, field: Array) -> Array:
    """Metres that a shape (L, 3) opens each column (columns,) at weight 1, from a small one."""
    change = (lips.gaps(rest + _SMALL * field) - lips.gaps(rest)) / _SMALL
    return np.asarray(np.nan_to_num(change))


def _even(slopes: Array) -> Array:
    """Ridge solution (shapes, columns) for weights that level lips of slopes (shapes, columns)."""
    uneven = slopes - slopes.mean(axis=1, keepdims=True)
    ridge = uneven @ uneven.T + _EFFORT_M**2 * np.eye(len(uneven))
    return np.asarray(-np.linalg.solve(ridge, uneven))


def _renumbered(lip: Lip, used: Ints) -> Lip:
    return Lip(np.searchsorted(used, lip.corners), lip.mix)
