"""The lower and the upper face: how much of each a vertex belongs to, so that both can be scaled,
smoothed and mixed apart. Pure numpy.

The two shares of a vertex add up to one, so the two parts of a motion add up to the motion. The
border is soft, for a hard one would tear the cheeks when the parts differ.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import compact_keys
from ._backend import pack
from .face import Face, displacements_on

Floats = npt.NDArray[np.float32]
_NO_PAIRS = np.zeros((0, 2), dtype=np.int32)


class Reference(NamedTuple):
    """upper (V,): each vertex's share of the upper face, 0..1; blink (V, 3): what shutting both
    eyes adds to the rest pose, metres, or None where the pack does not know; lip_pairs (P, 2):
    vertices of the upper lip and those of the lower one that they meet."""

    upper: Floats
    blink: Floats | None
    lip_pairs: npt.NDArray[np.int32]


def read(chosen: pack.Pack) -> Reference:
    """The regions in a pack's reference.npz; all is lower face where it has no masks."""
    with chosen.open("reference.npz") as file, np.load(file, allow_pickle=False) as arrays:
        rest, names = arrays["rest"], arrays.files
        known = {"mask_lips", "mask_eyes"} <= set(names)
        upper = (upper_share(rest, arrays["mask_lips"], arrays["mask_eyes"]) if known
                 else np.zeros(len(rest), dtype=np.float32))
        return Reference(upper, arrays["blink"] if "blink" in names else None,
                         arrays["lip_pairs"] if "lip_pairs" in names else _NO_PAIRS)


def upper_share(rest: Floats, lips: npt.NDArray[np.bool_],
                eyes: npt.NDArray[np.bool_]) -> Floats:
    """Share (V,) of the upper face by height: 0 up to the top of the lips, 1 from the middle of
    the eyes, a cubic (smoothstep) between. Packs have y up."""
    height = rest[:, 1]
    if not (lips.any() and eyes.any()):
        return np.zeros(len(rest), dtype=np.float32)
    bottom, top = height[lips].max(), height[eyes].mean()
    way = np.clip((height - bottom) / max(top - bottom, 1e-6), 0.0, 1.0)
    return np.asarray(way * way * (3 - 2 * way), dtype=np.float32)


def split(target: Face, displacements: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Displacements (T, V, 3) of the pack's vertices as lower and upper part on the mesh, both
    (T, Vm, 3) in metres and the pack's axes; their sum is the whole."""
    if target.transfer is None:
        lower = displacements_on(target, displacements)
        share = upper if target.order is None else upper[target.order]
        above = lower * share[:, None]
        return lower - above, above
    fine = compact_keys.fine(displacements)
    if fine is None:
        return (displacements_on(target, displacements * (1 - upper)[:, None]),
                displacements_on(target, displacements * upper[:, None]))
    # The transfer is linear: it carries the parts of a basis, far fewer than there are frames.
    above = target.transfer.apply(fine.shapes * upper[:, None])
    below = target.transfer.apply(fine.shapes * (1 - upper)[:, None])
    return (np.tensordot(fine.values, below, axes=1), np.tensordot(fine.values, above, axes=1))
