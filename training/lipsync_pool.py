"""Lip-sync scores of many clips as one, with an interval by resampling the clips."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .lipsync import Heard, Score, auc

Floats = NDArray[np.float64]

DRAWS = 300
BOUNDS = (2.5, 97.5)
BY_PHONE = ("closure", "closure_ch", "closure_sp", "closure_sp_ch")
SUMMED = ("n_open", "n_bilab", "n_pbm", "seconds")


@dataclass(frozen=True)
class Interval:
    """95 % of the clips' bootstrap draws lie between these."""

    low: float
    high: float


@dataclass(frozen=True)
class Pooled:
    """All clips' score, and how far it and the lag depend on which clips were drawn."""

    score: Score
    auc_mean: float
    auc: Interval
    closure: Interval
    lag_sd: float


def pool(clips: Sequence[Heard]) -> Pooled:
    """AUC over all frames together, closures by phone, counts summed, the rest clips' means."""
    scores = [clip.score for clip in clips]
    weights = np.array([score.n_pbm for score in scores], dtype=np.float64)
    means = {name: _mean(_column(scores, name)) for name in _names()}
    for name in BY_PHONE:
        means[name] = _weighted(_column(scores, name), weights)
    totals = {name: sum(getattr(score, name) for score in scores) for name in SUMMED}
    aucs = {"auc": _auc(clips), "auc_nah": _auc_without_ah(clips)}
    return Pooled(
        Score(**{**means, **totals, **aucs}),
        means["auc"],
        *_intervals(clips, weights),
        float(np.std(_column(scores, "lag_ms"))),
    )


def flat(pooled: Pooled) -> dict[str, float]:
    """A pooled score as one table of numbers, for JSON."""
    rows = dataclasses.asdict(pooled.score)
    rows |= {"auc_mean": pooled.auc_mean, "lag_sd": pooled.lag_sd}
    for name, interval in (("auc", pooled.auc), ("closure", pooled.closure)):
        rows |= {f"{name}_lo": interval.low, f"{name}_hi": interval.high}
    return rows


def _names() -> list[str]:
    return [field.name for field in dataclasses.fields(Score)]


def _column(scores: Sequence[Score], name: str) -> Floats:
    return np.array([getattr(score, name) for score in scores], dtype=np.float64)


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _weighted(values: Floats, weights: Floats) -> float:
    finite = np.isfinite(values)
    total = float(weights[finite].sum())
    return float(values[finite] @ weights[finite]) / total if total else float("nan")


def _auc(clips: Sequence[Heard]) -> float:
    return auc(*(np.concatenate(part) for part in zip(*((c.wide, c.shut) for c in clips),
                                                      strict=True)))


def _auc_without_ah(clips: Sequence[Heard]) -> float:
    wide = np.concatenate([clip.wide_but_ah for clip in clips])
    return auc(wide, np.concatenate([clip.shut for clip in clips]))


def _intervals(clips: Sequence[Heard], weights: Floats) -> tuple[Interval, Interval]:
    """Bootstrap over clips, because frames of one clip are not independent."""
    closures = _column([clip.score for clip in clips], "closure")
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(clips), len(clips)) for _ in range(DRAWS)]
    ranked = np.array([_auc([clips[k] for k in drawn]) for drawn in draws])
    closed = np.array([_weighted(closures[drawn], weights[drawn]) for drawn in draws])
    return _interval(ranked), _interval(closed)


def _interval(values: Floats) -> Interval:
    if not np.isfinite(values).any():
        return Interval(float("nan"), float("nan"))
    return Interval(*(float(bound) for bound in np.nanpercentile(values, BOUNDS)))
