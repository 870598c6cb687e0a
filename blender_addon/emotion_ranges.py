"""Painted emotions as numbers: how ranges of frames become the worker's emotion lane, and how a new
range takes its place among others. Knows no Blender."""

import colorsys
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ._backend import messages

Colour = tuple[float, float, float]

# Beside these, what a pack may know gets a colour from its name.
_COLOURS: dict[str, Colour] = {
    "neutral": (0.45, 0.45, 0.45), "happy": (0.95, 0.7, 0.05), "sad": (0.1, 0.3, 0.85),
    "angry": (0.8, 0.07, 0.07), "fear": (0.45, 0.15, 0.75), "disgusted": (0.2, 0.55, 0.1),
    "surprised": (0.95, 0.4, 0.05), "contempt": (0.5, 0.3, 0.15)}


@dataclass(frozen=True)
class Range:
    """An emotion at an intensity of 0..1.5 in the frames [first, after), of which `share` is
    another emotion, if one is named; it comes and goes within fade_s."""

    emotion: str
    intensity: float
    first: float
    after: float
    other: str = ""
    share: float = 0.5
    fade_s: float | None = None


def spans(ranges: Iterable[Range], first_frame: float,
          fps: float) -> tuple[messages.EmotionSpan, ...]:
    """The emotion lane of a sound that begins at `first_frame`, in seconds of the sound; ranges
    that end before it are left out."""
    return tuple(span for each in ranges for span in _spans_of(each, first_frame, fps))


def _spans_of(given: Range, first_frame: float, fps: float) -> Iterator[messages.EmotionSpan]:
    start_s, end_s = ((frame - first_frame) / fps for frame in (given.first, given.after))
    if end_s <= 0:
        return
    blended = [(given.emotion, 1.0 - given.share), (given.other, given.share)]
    for name, weight in blended if given.other else [(given.emotion, 1.0)]:
        if weight > 0:
            yield messages.EmotionSpan(name, given.intensity, start_s if start_s > 0 else None,
                                       end_s, given.fade_s, weight)


def name_of(emotion: str, intensity: float, other: str) -> str:
    """'happy 80%', or 'happy + sad 80%'. Not 'happy 0.8': Blender would count that on to 0.9."""
    if not emotion:
        return "from the voice"
    return f"{emotion} + {other} {intensity:.0%}" if other else f"{emotion} {intensity:.0%}"


def colour_of(emotion: str, intensity: float, other: str, share: float) -> Colour:
    """The paler the weaker; a blend's colour lies between its two."""
    one, two = _pure(emotion or "neutral"), _pure(other or emotion or "neutral")
    grey, strength = _COLOURS["neutral"][0], min(1.0, 0.25 + 0.75 * intensity)
    red, green, blue = (grey + strength * (a + share * (b - a) - grey)
                        for a, b in zip(one, two, strict=True))
    return red, green, blue


def _pure(emotion: str) -> Colour:
    found = _COLOURS.get(emotion.casefold())
    if found is None:
        hue = hashlib.sha256(emotion.casefold().encode()).digest()[0] / 256
        found = colorsys.hsv_to_rgb(hue, 0.75, 0.8)
    return found


def left_of(old: tuple[int, int], new: tuple[int, int]) -> list[tuple[int, int]]:
    """What is left of an old range of frames [first, after) once a new one is painted over it: all
    of it, a piece, two pieces or none."""
    pieces = [(old[0], min(old[1], new[0])), (max(old[0], new[1]), old[1])]
    if old[1] <= new[0] or old[0] >= new[1]:
        return [old]
    return [piece for piece in pieces if piece[0] < piece[1]]
