"""Long sequences in overlapping windows, and the windows back into one sequence."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Span = tuple[int, int]


def spans(total: int, size: int, overlap: int) -> list[Span]:
    """[start, stop) of windows of `size` that cover `total`, neighbours sharing at least `overlap`;
    one window when the whole fits. All are equally long, so that graphs see one shape."""
    if total <= size:
        return [(0, total)]
    count = math.ceil((total - overlap) / (size - overlap))
    starts = [round(i * (total - size) / (count - 1)) for i in range(count)]
    return [(start, start + size) for start in starts]


def cross_fade(places: Sequence[Span], pieces: Iterable[Floats]) -> Iterator[Floats]:
    """Pieces (stop - start, ...) of overlapping windows as consecutive blocks of one sequence; what
    two windows share goes over linearly from the earlier to the later."""
    tail: Floats | None = None
    for index, (place, piece) in enumerate(zip(places, pieces, strict=True)):
        joined = piece if tail is None else _joined(tail, piece)
        last = index + 1 == len(places)
        cut = len(piece) if last else places[index + 1][0] - place[0]
        tail = joined[cut:]
        yield joined[:cut]


def _joined(tail: Floats, piece: Floats) -> Floats:
    """`piece` with its start faded in over `tail`."""
    shared = len(tail)
    share = (np.arange(1, shared + 1, dtype=np.float32) / (shared + 1)).reshape(
        (-1,) + (1,) * (piece.ndim - 1))
    return np.concatenate([tail * (1 - share) + piece[:shared] * share, piece[shared:]])
