"""The emotion lane: what the voice's emotion sounds like, painted over where an artist wants else.

A pack with emotions holds, in emotions.npz, prototypes: what its emotion encoder says of each
emotion at rising intensity (training/exptalk/prototypes.py). A wanted emotion takes the place of
what was heard, so the network sees nothing that it has not learnt from.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import PackError, RequestError
from .messages import EmotionSpan
from .pack import UNREADABLE, Pack

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

FILE = "emotions.npz"
MOST_INTENSITY = 1.5
# How long a face takes from one emotion to the next, centred on the seam. Acted faces take 0.25 to
# 1.2 s (training/corpus/emotions.py).
FADE_S = 0.8
# A range that an artist draws over a strip ends up to some frames before or after the sound.
_EDGE_S = 0.1
# Ranges that do not quite touch, or that overlap a little, are meant to follow each other.
_ONE_SEAM_S = 0.2
_SPELLED = re.compile(r"(?P<name>[^:@]+)(:(?P<intensity>[0-9.]+))?"
                      r"(@(?P<start>[0-9.]+)-(?P<end>[0-9.]+))?")


@dataclass(frozen=True)
class Palette:
    """What each emotion sounds like: `prototypes` (E, L, K) at rising `amounts` (L,), 0 to 1."""

    names: tuple[str, ...]
    amounts: Floats
    prototypes: Floats

    def features(self, name: str, intensity: float) -> Floats:
        """The emotion's features (K,): linear between the amounts, and beyond 1 as far again along
        the line from intensity 0 to 1."""
        rows = self.prototypes[self.names.index(name)]
        if intensity > 1:
            return np.asarray(rows[0] + intensity * (rows[-1] - rows[0]), np.float32)
        above = min(int(np.searchsorted(self.amounts, intensity)), len(rows) - 1)
        below = max(0, above - 1)
        gap = float(self.amounts[above] - self.amounts[below]) or 1.0
        share = (intensity - float(self.amounts[below])) / gap
        return np.asarray(rows[below] + share * (rows[above] - rows[below]), np.float32)

    def is_still(self, number: int) -> bool:
        """Whether an emotion is one at no intensity, as neutral is."""
        return bool((self.prototypes[number, -1] == self.prototypes[number, 0]).all())

    @property
    def calm(self) -> int:
        """The emotion that a calm voice has: the still one if there is one, else any at 0."""
        return next(filter(self.is_still, range(len(self.names))), 0)

    def nearest(self, felt: Floats) -> tuple[Numbers, Floats]:
        """Which emotion's prototype (T,) is nearest to features heard (T, K), and at which amount
        (T,); at 0 every emotion is the same."""
        rows = self.prototypes.reshape(-1, self.prototypes.shape[2])
        # |f - r|^2 without |f|^2, which does not change which is nearest.
        apart: Floats = (rows**2).sum(axis=1) - 2 * (felt @ rows.T)
        emotion, amount = np.divmod(apart.argmin(axis=1), len(self.amounts))
        return emotion, self.amounts[amount]


def palette(pack: Pack) -> Palette:
    """The pack's emotions; raises PackError when they do not fit its manifest."""
    manifest = pack.manifest
    try:
        with np.load(pack.open(FILE), allow_pickle=False) as arrays:
            amounts, prototypes = arrays["amounts"], arrays["prototypes"]
    except UNREADABLE as problem:
        raise _unfit(pack, f"it cannot be read: {problem}") from problem
    if amounts.ndim != 1 or amounts.dtype.kind != "f":
        raise _unfit(pack, f"its amounts are {amounts.dtype} {amounts.shape}, not floats (L,)")
    size = manifest.emotion_features.size if manifest.emotion_features else 0
    due = (len(manifest.emotions), len(amounts), size)
    if prototypes.shape != due or prototypes.dtype != np.float32:
        raise _unfit(pack, f"it holds {prototypes.dtype} {prototypes.shape} where {due} are due")
    if len(amounts) < 2 or amounts[0] != 0 or amounts[-1] != 1 or (np.diff(amounts) <= 0).any():
        raise _unfit(pack, "its amounts do not rise from 0 to 1")
    return Palette(manifest.emotions, amounts, prototypes)


def check(spans: Sequence[EmotionSpan], names: Sequence[str]) -> None:
    """Refuse spans of unknown emotions, impossible intensities or times; raises RequestError."""
    for span in spans:
        if span.name not in names:
            raise RequestError("emotion_unknown", f"The model has no emotion '{span.name}'.",
                               f"Choose one of: {', '.join(names)}.")
        if not 0 <= span.intensity <= MOST_INTENSITY:
            raise _bad(span, f"has the intensity {span.intensity:g}",
                       f"Choose 0 to {MOST_INTENSITY:g}.")
        if None not in (span.start_s, span.end_s) and not _start(span) < _end(span):
            raise _bad(span, f"lasts from {span.start_s:g} s to {span.end_s:g} s",
                       "Let it end after it starts.")
        if not 0 <= _fade(span) < math.inf:
            raise _bad(span, f"comes and goes within {span.fade_s:g} s", "Choose 0 or more.")
        if not 0 <= span.weight <= 1:
            raise _bad(span, f"has the weight {span.weight:g}", "Choose 0 to 1.")


def parse(text: str) -> EmotionSpan:
    """NAME[:0..1.5][@START-END] as a span of an emotion, seconds; raises RequestError."""
    match = _SPELLED.fullmatch(text)
    try:
        if not match:
            raise ValueError
        intensity = float(match["intensity"] or 1)
        start_s, end_s = (float(match[name]) if match[name] else None for name in ("start", "end"))
        backwards = start_s is not None and end_s is not None and end_s <= start_s
        if intensity > MOST_INTENSITY or backwards:
            raise ValueError
    except ValueError as problem:
        raise RequestError("bad_emotion", f"The emotion '{text}' is not understood.", "Write it as "
                           "NAME, NAME:0.5 or NAME:0.5@1.2-3.4 (seconds).") from problem
    return EmotionSpan(match["name"], intensity, start_s, end_s)


def spelled(span: EmotionSpan) -> str:
    """A span with both ends as text that `parse` understands, to hundredths."""
    return f"{span.name}:{span.intensity:.4g}@{_start(span):.2f}-{_end(span):.2f}"


def painted(felt: Floats, spans: Sequence[EmotionSpan], colours: Palette, fps: float) -> Floats:
    """Features heard (T, K) with the wanted emotions over them, going over within their fades.

    Where spans lie over each other their emotions meet in the proportion of their weights; where
    none lies, the voice rules.
    """
    covered, mixed = np.zeros((len(felt), 1), np.float32), np.zeros_like(felt)
    for span in spans:
        share = span.weight * _presence(span, _fades(span, spans, fps), len(felt), fps)[:, None]
        covered += share
        mixed += share * colours.features(span.name, span.intensity)
    mixed += felt * np.maximum(0, 1 - covered)
    return np.asarray(mixed / np.maximum(1, covered), np.float32)


class Seam(NamedTuple):
    """A moment at which a lane goes over to another emotion, and how long it takes, about it."""

    at_s: float
    fade_s: float


def seams(spans: Sequence[EmotionSpan], frames: int, fps: float) -> tuple[Seam, ...]:
    """The seams of a lane inside a sound, in order of time. Where spans end and begin within
    _ONE_SEAM_S there is one, as long as the longest of their fades, and none where what is felt is
    the same on both sides."""
    edges = sorted((at_s, fade_s) for span in spans for at_s, fade_s in zip(
        (_start(span), _end(span)), _fades(span, spans, fps), strict=True)
        if _EDGE_S <= at_s <= frames / fps - _EDGE_S)
    found = []
    while edges:
        near = [edge for edge in edges if edge[0] - edges[0][0] < _ONE_SEAM_S]
        edges = edges[len(near):]
        first_s, last_s = near[0][0], near[-1][0]
        if _told_at(first_s - 0.5 / fps, spans) != _told_at(last_s + 0.5 / fps, spans):
            found.append(Seam((first_s + last_s) / 2, max(fade_s for _, fade_s in near)))
    return tuple(found)


def _told_at(time_s: float, spans: Sequence[EmotionSpan]) -> list[tuple[str, float, float]]:
    """What a lane tells at a moment: names, intensities and weights."""
    return sorted((span.name, span.intensity, span.weight) for span in spans
                  if _start(span) <= time_s < _end(span))


class _Fades(NamedTuple):
    comes_s: float
    goes_s: float


def _fades(span: EmotionSpan, spans: Sequence[EmotionSpan], fps: float) -> _Fades:
    """Seconds within which a span comes and goes. Where one follows another at once both take the
    fade of the one that comes, no longer than either lasts, so that no voice shows between."""
    before = [other for other in spans if abs(_end(other) - _start(span)) < 1 / fps]
    after = [other for other in spans if abs(_start(other) - _end(span)) < 1 / fps]
    comes_s = min(_fade(span), *map(_length, (span, *before)))
    goes_s = min(_fade(after[0] if after else span), *map(_length, (span, *after)))
    return _Fades(max(1 / fps, comes_s), max(1 / fps, goes_s))


def _presence(span: EmotionSpan, fades: _Fades, frames: int, fps: float) -> Floats:
    """How much of a span there is at each frame (T,): 1 inside, half at its ends, and no fade
    within _EDGE_S of the sound's own ends. A span beside the sound does not fade into it."""
    times_s = np.arange(frames) / fps
    if _start(span) >= frames / fps or _end(span) <= 0:
        return np.zeros(frames, np.float32)
    inside = np.ones(frames)
    if _start(span) >= _EDGE_S:
        inside = inside * smooth((times_s - _start(span)) / fades.comes_s + 0.5)
    if _end(span) <= frames / fps - _EDGE_S:
        inside = inside * smooth((_end(span) - times_s) / fades.goes_s + 0.5)
    return np.asarray(inside, np.float32)


def smooth(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0 below 0, 1 above 1, and without a kink between; a share and its rest add up to 1."""
    x = np.clip(share, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _start(span: EmotionSpan) -> float:
    return 0.0 if span.start_s is None else span.start_s


def _end(span: EmotionSpan) -> float:
    return float("inf") if span.end_s is None else span.end_s


def _length(span: EmotionSpan) -> float:
    return _end(span) - _start(span)


def _fade(span: EmotionSpan) -> float:
    return FADE_S if span.fade_s is None else span.fade_s


def _bad(span: EmotionSpan, what: str, hint: str) -> RequestError:
    return RequestError("bad_emotion", f"The emotion '{span.name}' {what}.", hint)


def _unfit(pack: Pack, why: str) -> PackError:
    return PackError("pack_emotions", f"'{FILE}' of the pack '{pack.path}' does not work: {why}.",
                     "Export the pack again with this release.")
