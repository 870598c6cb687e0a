"""The codebook: every latent vector of a motion is one of a few hundred codes.

A pack with emotions has two: the first half of a frame's components draws from `codes`, the other
from `emotion_codes`. Numbers count through both.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import PackError
from .pack import UNREADABLE, Pack

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.uint16]

_NAMES = ("codes", "emotion_codes")
_MOST_CODES = 2**16  # a motion stores their numbers in two bytes


@dataclass(frozen=True)
class Codebook:
    """Codes (N, C) of each half of the components, or of all of them when there is one book."""

    books: tuple[Floats, ...]

    def __len__(self) -> int:
        """How many codes there are."""
        return sum(map(len, self.books))

    def nearest(self, latents: Floats) -> Numbers:
        """The numbers (T, H) of the codes nearest to each C-vector of latents (T, H*C)."""
        vectors = latents.reshape(len(latents), -1, self.books[0].shape[1])
        halves = np.split(vectors, len(self.books), axis=1)
        firsts = np.cumsum([0, *(len(book) for book in self.books[:-1])])
        numbers = [first + _nearest(half, book) for half, book, first
                   in zip(halves, self.books, firsts, strict=True)]
        return np.asarray(np.concatenate(numbers, axis=1), np.uint16)

    def vectors(self, numbers: Numbers) -> Floats:
        """Latents (T, H*C) made of the codes of those numbers (T, H)."""
        return np.asarray(np.concatenate(self.books)[numbers].reshape(len(numbers), -1), np.float32)


def _nearest(vectors: Floats, codes: Floats) -> npt.NDArray[np.int64]:
    # |v - c|^2 without |v|^2, which does not change which code is nearest.
    distances: Floats = (codes**2).sum(axis=1) - 2 * (vectors @ codes.T)
    return np.asarray(distances.argmin(axis=-1), np.int64)


def read(pack: Pack) -> Codebook:
    """The pack's codebook; raises PackError when it does not fit the latents."""
    try:
        with np.load(pack.open("codebook.npz"), allow_pickle=False) as arrays:
            books = tuple(arrays[name] for name in _NAMES if name in arrays.files)
    except UNREADABLE as problem:
        raise _unfit(pack, f"cannot be read: {problem}") from problem
    components, channels = pack.manifest.latent_shape
    if not books or components % len(books):
        raise _unfit(pack, f"has {len(books)} books for {components} components")
    for book in books:
        if book.ndim and not len(book):
            raise _unfit(pack, "has a book without a code")
        if book.dtype != np.float32 or book.ndim != 2 or book.shape[1] != channels:
            raise _unfit(pack, f"is {book.dtype} {book.shape}, not float32 (N, {channels})")
    if sum(map(len, books)) > _MOST_CODES:
        raise _unfit(pack, f"has more than {_MOST_CODES} codes")
    return Codebook(books)


def _unfit(pack: Pack, why: str) -> PackError:
    return PackError("pack_codebook", f"The codebook of the pack '{pack.path}' {why}.",
                     "Export the pack again.")
