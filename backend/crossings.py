"""A painted emotion comes and goes within its fade, whatever the network would take.

Left to itself it takes about 0.7 s from one emotion to the next, for a code of emotion stands for
a third of a second to each side. But codes of words and of emotion can be decoded in any pairing
(ExpTalk, section 3.1). So where a lane goes over, the same words are decoded twice, with the
emotion before held and with the one after held, and the face goes over from one to the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .codebook import Codebook
from .emotions import Seam, smooth

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.uint16]
Decode = Callable[[Floats], Floats]

# A seam's neighbourhood, in which codes belong to neither emotion: at least so much to each side,
# and beyond the fade as much as lets the held codes' influence end.
_LEAST_REACH_S = 0.4
_BEYOND_FADE_S = 0.17
# An emotion is held as the mean of its codes over so long, which is also what the decoder looks to
# each side; it needs as long between two seams to be seen at all.
_HELD_S = 0.33


@dataclass(frozen=True)
class Crossing:
    """The face goes over in frames start..end; in frames [first, stop) the codes of emotion are
    replaced by what they are `before` and `after` (C,)."""

    start: float
    end: float
    first: int
    stop: int
    before: Floats
    after: Floats


@dataclass(frozen=True)
class Crossings:
    """All crossings of a motion, in order of time and none within another."""

    every: tuple[Crossing, ...] = ()

    def decoded(self, latents: Floats, first: int, decode: Decode) -> Floats:
        """Displacements (T, V, 3) of latents (T, L), the first of which is the motion's frame
        `first`."""
        share = self.share(np.arange(first, first + len(latents)))[:, None, None]
        if not share.any():
            return decode(self._held(latents, first, after=False))
        after = decode(self._held(latents, first, after=True))
        if share.all() and (share == 1).all():
            return after
        before = decode(self._held(latents, first, after=False))
        return np.asarray(before + share * (after - before), np.float32)

    def share(self, frames: npt.NDArray[np.int64]) -> Floats:
        """How much of the decoding with the emotions after is shown at frames (T,): up from 0 to 1
        at every crossing, and down between them, where both are alike."""
        up = [_ramp(frames, one.start, one.end) for one in self.every]
        down = [_ramp(frames, one.stop, other.first) for one, other in pairwise(self.every)]
        return np.asarray(np.sum(up, axis=0) - np.sum(down, axis=0) + np.zeros(len(frames)),
                          np.float32)

    def _held(self, latents: Floats, first: int, after: bool) -> Floats:
        """Latents with the emotion before, or after, each crossing held through it."""
        held = latents.copy()
        for one in self.every:
            frames = slice(max(0, one.first - first), max(0, one.stop - first))
            emotion = one.after if after else one.before
            held[frames, -len(emotion):] = emotion
        return held


def find(seams: Sequence[Seam], numbers: Numbers, codes: Codebook, fps: float) -> Crossings:
    """The crossings at the seams of a lane, given the motion's code numbers (T, H). Seams so close
    that no emotion settles between them are left to the network."""
    places = [(seam, _reach_s(seam)) for seam in seams]
    free = [(seam, reach_s) for seam, reach_s in places
            if all(abs(seam.at_s - other.at_s) >= reach_s + _HELD_S + far_s
                   for other, far_s in places if other != seam)]
    return Crossings(tuple(_crossing(seam, reach_s, numbers, codes, fps)
                           for seam, reach_s in free))


def _reach_s(seam: Seam) -> float:
    return max(_LEAST_REACH_S, seam.fade_s / 2 + _BEYOND_FADE_S)


def _crossing(seam: Seam, reach_s: float, numbers: Numbers, codes: Codebook,
              fps: float) -> Crossing:
    first = max(0, round((seam.at_s - reach_s) * fps))
    stop = min(len(numbers), round((seam.at_s + reach_s) * fps) + 1)
    held = round(_HELD_S * fps)
    before, after = (_emotion(numbers[part], codes) for part in (
        slice(max(0, first - held), first + 1), slice(stop - 1, stop + held)))
    half = seam.fade_s / 2
    return Crossing((seam.at_s - half) * fps, (seam.at_s + half) * fps, first, stop, before, after)


def _emotion(numbers: Numbers, codes: Codebook) -> Floats:
    """The mean (C,) of emotion's half of the latents with these numbers (T, H)."""
    mean: Floats = codes.vectors(numbers).mean(axis=0)
    return mean[len(mean) // 2:]


def _ramp(frames: npt.NDArray[np.int64], start: float, end: float) -> npt.NDArray[np.float64]:
    """0 up to `start`, 1 from `end` on, and smooth between."""
    return smooth((frames - start) / max(end - start, 1e-9))
