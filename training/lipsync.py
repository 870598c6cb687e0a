"""How well a mouth's opening keeps time with the phones that were spoken.

Every score is blind to the aperture's scale and offset, so systems on different faces compare:
the aperture is read on a 200 Hz grid and held against where phones open and close the lips.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from backend.errors import SoliloquyError

from .corpus.phones import BILABIALS, Phone

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GRID_HZ = 200.0
SMOOTHING_S = 0.06
FARTHEST_LAG_S = 0.2
CLOSING_PERCENTILE = 20.0
CLOSING_PAD_S = 0.04
OPEN_VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY"})
PAUSES = frozenset({"SIL", "SP", "SPN", "NSN", "+SPN+", "+NSN+", "<SIL>", "PAU", ""})

# How far a phone opens the lips, from 0 (shut) to 1; pauses and unknown phones are shut.
OPENINGS = {
    "AA": 1.0, "AE": 0.95, "AH": 0.65, "AO": 0.85, "AW": 0.85, "AY": 0.95, "EH": 0.75, "ER": 0.45,
    "EY": 0.65, "IH": 0.5, "IY": 0.4, "OW": 0.6, "OY": 0.65, "UH": 0.4, "UW": 0.25,
    "P": 0.0, "B": 0.0, "M": 0.0, "F": 0.12, "V": 0.12, "W": 0.15, "R": 0.35, "L": 0.5, "Y": 0.35,
    "N": 0.35, "NG": 0.4, "T": 0.3, "D": 0.3, "S": 0.22, "Z": 0.22, "SH": 0.25, "ZH": 0.25,
    "CH": 0.25, "JH": 0.25, "TH": 0.3, "DH": 0.3, "K": 0.4, "G": 0.4, "HH": 0.5,
}  # fmt: skip


class AlignmentError(SoliloquyError):
    """An alignment that is missing, damaged or empty."""

    def __init__(self, message: str) -> None:
        super().__init__("alignment", message, 'its lines are {"start": s, "end": s, "phone": "P"}')


@dataclass(frozen=True)
class Score:
    """A clip's lip sync; NaN where the clip has nothing to measure it on.

    ``auc``: chance that an open vowel's frame is wider than one of the middle third of p b m;
    ``auc_lag`` with the lag removed, ``auc_nah`` without AH, which is mostly a schwa.
    ``corr``: Pearson with the phones' own opening at the best lag, ``corr0`` at none, ``corr_sp``
    outside pauses; ``lag_ms`` positive where the mouth is late.
    ``closure``: share of p b m that reach the clip's lowest fifth; ``closure_ch`` what windows laid
    anywhere reach, which it must beat; the two ``_sp`` ones outside pauses.
    ``contrast``: open vowels less p b m in standard deviations of speech.
    """

    auc: float
    auc_lag: float
    auc_nah: float
    corr: float
    corr0: float
    corr_sp: float
    lag_ms: float
    closure: float
    closure_ch: float
    closure_sp: float
    closure_sp_ch: float
    contrast: float
    n_open: int
    n_bilab: int
    n_pbm: int
    seconds: float


class Track(NamedTuple):
    """An aperture (T,) whose frame i is taken at i / fps seconds."""

    aperture: Floats
    fps: float

    def at(self, times: Floats) -> Floats:
        """The aperture at these seconds, linear between frames, held at both ends."""
        return np.interp(times, np.arange(len(self.aperture)) / self.fps, self.aperture)


class Spoken(NamedTuple):
    """A clip's phones on the grid: times (N,), target opening (N,), and frames of each kind."""

    phones: Sequence[Phone]
    seconds: float
    times: Floats
    target: Floats
    speech: Bools
    wide: Bools
    wide_but_ah: Bools
    shut: Bools


class Heard(NamedTuple):
    """A scored clip, with the apertures that pooling ranks together."""

    score: Score
    wide: Floats
    wide_but_ah: Floats
    shut: Floats


def read_alignment(path: Path) -> list[Phone]:
    """Phones of a JSON-lines alignment, stress digits dropped; raises AlignmentError."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        spoken = [row for row in rows if "phone" in row]
        phones = [Phone(plain(r["phone"]), float(r["start"]), float(r["end"])) for r in spoken]
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as problem:
        raise AlignmentError(f"{path} is no alignment: {problem}") from problem
    if not phones:
        raise AlignmentError(f"{path} names no phone")
    return phones


def plain(name: str) -> str:
    """An ARPAbet phone in capitals without its stress digit."""
    return name.strip().upper().rstrip("012")


def score(
    aperture: NDArray[np.floating[Any]],
    fps: float,
    phones: Sequence[Phone],
    seconds: float | None = None,
) -> Heard:
    """Score an aperture (T,) in any unit; seconds default to the last phone's end."""
    spoken = _spoken(phones, phones[-1].end_s if seconds is None else seconds)
    track = Track(aperture.astype(np.float64), fps)
    lag = _best_lag(track, spoken)
    now, shifted = track.at(spoken.times), track.at(spoken.times + lag.seconds)
    wide, without_ah, shut = now[spoken.wide], now[spoken.wide_but_ah], now[spoken.shut]
    closure = _closure(now, spoken, np.ones(len(now), dtype=bool))
    closure_sp = _closure(now, spoken, spoken.speech)
    figures = Score(
        auc=auc(wide, shut),
        auc_lag=auc(shifted[spoken.wide], shifted[spoken.shut]),
        auc_nah=auc(without_ah, shut),
        corr=lag.fit,
        corr0=lag.fit_at_none,
        corr_sp=pearson(shifted[spoken.speech], spoken.target[spoken.speech]),
        lag_ms=1e3 * lag.seconds,
        closure=closure.rate,
        closure_ch=closure.chance,
        closure_sp=closure_sp.rate,
        closure_sp_ch=closure_sp.chance,
        contrast=_contrast(wide, shut, now[spoken.speech]),
        n_open=len(wide),
        n_bilab=len(shut),
        n_pbm=sum(phone.name in BILABIALS for phone in phones),
        seconds=spoken.seconds,
    )
    return Heard(figures, wide, without_ah, shut)


def auc(high: Floats, low: Floats) -> float:
    """Chance that one of ``high`` exceeds one of ``low``, ties counting half; NaN without any."""
    if not len(high) or not len(low):
        return float("nan")
    ranks = rankdata(np.concatenate([high, low]))[: len(high)]
    return float((ranks.sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))


def pearson(a: Floats, b: Floats) -> float:
    """Correlation of two tracks (N,); NaN when one never moves."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-12 else float("nan")


def _spoken(phones: Sequence[Phone], duration_s: float) -> Spoken:
    times = np.arange(int(np.floor(duration_s * GRID_HZ))) / GRID_HZ
    names = np.full(len(times), "SIL", dtype=object)
    for phone in phones:
        names[_during(times, phone)] = phone.name
    opening = np.array([OPENINGS.get(name, 0.0) for name in names])
    speech = np.array([name not in PAUSES for name in names], dtype=bool)
    wide, without = (_union(times, phones, kind, _during)
                     for kind in (OPEN_VOWELS, OPEN_VOWELS - {"AH"}))
    shut = _union(times, phones, BILABIALS, _middle_third)
    return Spoken(phones, duration_s, times, _smooth(opening), speech, wide, without, shut)


def _during(times: Floats, phone: Phone) -> Bools:
    inside: Bools = (times >= phone.start_s) & (times < phone.end_s)
    return inside


def _middle_third(times: Floats, phone: Phone) -> Bools:
    """The middle of a phone, at least the one frame nearest to it."""
    third = (phone.end_s - phone.start_s) / 3
    inside: Bools = (times >= phone.start_s + third) & (times <= phone.end_s - third)
    if not inside.any():
        inside[np.abs(times - phone.middle_s).argmin()] = True
    return inside


def _union(
    times: Floats,
    phones: Sequence[Phone],
    kind: Collection[str],
    part: Callable[[Floats, Phone], Bools],
) -> Bools:
    """Frames (N,) that lie in that part of any phone of a kind."""
    found = np.zeros(len(times), dtype=bool)
    for phone in phones:
        if phone.name in kind:
            found |= part(times, phone)
    return found


def _smooth(values: Floats) -> Floats:
    """Moving average over an odd number of frames, so that nothing is delayed."""
    half = (_samples(SMOOTHING_S) | 1) // 2
    padded = np.pad(values, half, mode="edge")
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), "valid")


class _Lag(NamedTuple):
    seconds: float
    fit: float
    fit_at_none: float


def _best_lag(track: Track, spoken: Spoken) -> _Lag:
    """The lag within 200 ms at which the aperture follows the target best; 0 where none does."""
    farthest = _samples(FARTHEST_LAG_S)
    lags_s = np.arange(-farthest, farthest + 1) / GRID_HZ
    fits = np.array([_fit(track, spoken, float(lag_s)) for lag_s in lags_s])
    best = int(np.nanargmax(fits)) if np.isfinite(fits).any() else farthest
    return _Lag(float(lags_s[best]), float(fits[best]), float(fits[farthest]))


def _fit(track: Track, spoken: Spoken, lag_s: float) -> float:
    """Correlation with the target over the frames for which the lagged aperture exists."""
    moved_s = spoken.times + lag_s
    kept = (moved_s >= 0) & (moved_s <= min(spoken.seconds, len(track.aperture) / track.fps))
    if not kept.any():
        return float("nan")
    return pearson(track.at(moved_s[kept]), spoken.target[kept])


class _Closure(NamedTuple):
    rate: float
    chance: float


def _closure(aperture: Floats, spoken: Spoken, kept: Bools) -> _Closure:
    """How often p b m and how often windows of their length on ``kept`` frames close the lips."""
    windows = [
        (_samples(phone.start_s - CLOSING_PAD_S), _samples(phone.end_s + CLOSING_PAD_S) + 1)
        for phone in spoken.phones if phone.name in BILABIALS
    ]  # fmt: skip
    if not windows or not kept.any() or np.ptp(aperture) < 1e-12:
        return _Closure(float("nan"), float("nan"))
    closed = _closed(aperture, kept)
    frames = np.flatnonzero(kept)
    hits = [_any_within(closed, np.array([first]), last - first)[0] for first, last in windows]
    widths = [last - first for first, last in windows]
    chances = [_any_within(closed, frames - width // 2, width).mean() for width in widths]
    return _Closure(float(np.mean(hits)), float(np.mean(chances)))


def _closed(aperture: Floats, kept: Bools) -> Bools:
    """Frames in the lowest fifth of the kept ones.

    A stepwise signal may sit at its minimum for longer than that: then the minimum counts.
    """
    level = float(np.percentile(aperture[kept], CLOSING_PERCENTILE))
    slack = 1e-6 * float(np.ptp(aperture))
    if level <= aperture.min() + slack:
        return np.asarray(aperture <= level + slack)
    return np.asarray(aperture < level - slack)


def _any_within(flags: Bools, starts: NDArray[np.int64], width: int) -> Bools:
    """Whether any flag is set in ``width`` frames from each start (S,)."""
    before = np.concatenate([[0], np.cumsum(flags)])
    first, last = (np.clip(edge, 0, len(flags)) for edge in (starts, starts + width))
    found: Bools = before[last] > before[first]
    return found


def _contrast(wide: Floats, shut: Floats, speech: Floats) -> float:
    spread = float(speech.std()) if len(speech) else 0.0
    if spread <= 1e-12 or not len(wide) or not len(shut):
        return float("nan")
    return float(wide.mean() - shut.mean()) / spread


def _samples(seconds: float) -> int:
    return round(seconds * GRID_HZ)
