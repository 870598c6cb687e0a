"""A painted emotion comes and goes within its fade, whatever the network would take.

Left to itself it takes about 0.7 s from one emotion to the next, for a code of emotion stands for
a third of a second to each side. But codes of words and of emotion can be decoded in any pairing
(ExpTalk, section 3.1). So where a lane goes over, the same words are decoded twice, with the
emotion before held and with the one after held, and the face goes over from one to the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .codebook import Codebook
from .emotions import Seam, smooth

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.uint16]
Decode = Callable[[Floats], Floats]

# A seam's neighbourhood, in which the network's codes belong to neither emotion: at least so much
# to each side, and so much beyond the fade.
_LEAST_REACH_S = 0.4
_BEYOND_FADE_S = 0.1
# An emotion is held as the mean of its codes over so long, which is what the decoder looks to each
# side.
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
    """All crossings of a motion, in order of time and none within another.

    Two decodings take turns: the first one shows the emotion before the first crossing, the second
    the one after it, the first again what comes after the second crossing, and so on. So each is
    far from every change while it is shown.
    """

    every: tuple[Crossing, ...] = ()

    def decoded(self, latents: Floats, first: int, decode: Decode) -> Floats:
        """Displacements (T, V, 3) of latents (T, L), the first of which is the motion's frame
        `first`."""
        share = self.share(np.arange(first, first + len(latents)))[:, None, None]
        if (share == share[0]).all():
            return decode(self._held(latents, first, second=bool(share[0])))
        one, other = (decode(self._held(latents, first, second)) for second in (False, True))
        return np.asarray(one + share * (other - one), np.float32)

    def share(self, frames: npt.NDArray[np.int64]) -> Floats:
        """How much of the second decoding is shown at frames (T,)."""
        shown = np.zeros(len(frames))
        for number, one in enumerate(self.every):
            gone = smooth((frames - one.start) / max(one.end - one.start, 1e-9))
            shown += -gone if number % 2 else gone
        return np.asarray(shown, np.float32)

    def _held(self, latents: Floats, first: int, second: bool) -> Floats:
        """Latents in which each crossing holds the emotion that this decoding shows beside it."""
        held = latents.copy()
        for number, one in enumerate(self.every):
            frames = slice(max(0, one.first - first), max(0, one.stop - first))
            emotion = one.after if second == (number % 2 == 0) else one.before
            held[frames, -len(emotion):] = emotion
        return held


def find(seams: Sequence[Seam], numbers: Numbers, codes: Codebook, fps: float) -> Crossings:
    """The crossings at the seams of a lane, given the motion's code numbers (T, H). Seams so close
    to each other or to an end of the sound that no emotion settles between are left to the network;
    so are all with one codebook, which tells words and emotion together."""
    if len(codes.books) == 1:
        return Crossings()
    # The sound's ends are neighbours, too.
    places_s = [0.0, *(seam.at_s for seam in seams), len(numbers) / fps]
    reaches_s = [0.0, *(_reach_s(seam) for seam in seams), 0.0]
    made = []
    for k, seam in enumerate(seams, start=1):
        room_s = (seam.at_s - places_s[k - 1] - reaches_s[k - 1],
                  places_s[k + 1] - reaches_s[k + 1] - seam.at_s)
        if min(room_s) >= reaches_s[k] - 1e-6:
            made.append(_crossing(seam, room_s, numbers, codes, fps))
    return Crossings(tuple(made))


def _reach_s(seam: Seam) -> float:
    """How far a seam's neighbourhood goes to each side."""
    return max(_LEAST_REACH_S, seam.fade_s / 2 + _BEYOND_FADE_S)


def _crossing(seam: Seam, room_s: tuple[float, float], numbers: Numbers, codes: Codebook,
              fps: float) -> Crossing:
    """A seam as a crossing; `room_s` is how far it is to its neighbours' neighbourhoods."""
    reach, held, half = round(_reach_s(seam) * fps), round(_HELD_S * fps), seam.fade_s / 2
    at, last = round(seam.at_s * fps), len(numbers) - 1
    first, stop = max(0, at - reach), min(last, at + reach) + 1
    earliest = min(first, at - round(room_s[0] * fps))
    latest = max(stop - 1, at + round(room_s[1] * fps))
    before = numbers[max(earliest, first - held):first + 1]
    after = numbers[stop - 1:min(latest + 1, stop + held)]
    return Crossing((seam.at_s - half) * fps, (seam.at_s + half) * fps, first, stop,
                    _emotion(before, codes), _emotion(after, codes))


def _emotion(numbers: Numbers, codes: Codebook) -> Floats:
    """The mean (C,) of emotion's half of the latents with these numbers (T, H)."""
    mean: Floats = codes.vectors(numbers).mean(axis=0)
    return mean[len(mean) // 2:]
