"""Phones to smooth curves of the mouth: openings in mm and lip shapes, with co-articulation.

Each phone pulls on each curve with a weight that is full during the phone and fades before and
after it; a curve is the weighted mean of all aims (Cohen and Massaro 1993). Rounding reaches
further ahead than the rest. Lip closures and lip-on-teeth contacts are then laid over the blend,
because a weighted mean alone never closes the lips.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from training.corpus.phones import BILABIALS, LABIODENTALS, SILENCE, VOWELS, Phone
from training.corpus.styles import Style
from training.corpus.targets import GLIDE_TURN, GLIDES, TARGETS

Array = npt.NDArray[np.float64]
GRID_HZ = 240.0

_FADE_S = {"opening": (0.045, 0.050), "jaw": (0.070, 0.075), "shape": (0.120, 0.080)}
# The mouth moves a little before it is heard.
_LEAD_S = 0.010
_BEFORE_SPEECH_S, _AFTER_SPEECH_S = 0.10, 0.16
# A closure must contain at least one frame at 30 fps: never shorter than 1 / 30 s and a bit.
_SHORTEST_HOLD_S = 0.048
_BITE_MM = 1.8


class MouthCurves(NamedTuple):
    """Curves over time, each (N,): openings in mm, everything else 0..1."""

    opening_mm: Array
    jaw_mm: Array
    pucker: Array
    funnel: Array
    spread: Array
    seal: Array  # lips pressed together
    bite: Array  # lower lip on upper teeth
    activity: Array  # speaking, not pausing


class _Aim(NamedTuple):
    name: str
    start_s: float
    end_s: float
    amount: float


def mouth_curves(
    phones: Sequence[Phone], times_s: Array, style: Style, rng: np.random.Generator
) -> MouthCurves:
    """The mouth's curves at evenly spaced times (N,) for phones that tile the clip."""
    aims = list(_aims(phones, rng))
    opening = _blend(aims, times_s, "opening", style)
    jaw = _blend(aims, times_s, "jaw", style)
    pucker, funnel, spread = _shapes(aims, times_s, style)
    wander = 1.0 + 0.09 * smooth_noise(times_s, rng)
    seal = _holds(phones, times_s, BILABIALS, 0.055, 0.050)
    bite = _holds(phones, times_s, LABIODENTALS, 0.050, 0.045) * (1.0 - seal)
    opening = _part(opening * wander, seal, bite)
    return MouthCurves(
        opening,
        jaw * wander * (1.0 - 0.35 * seal),
        pucker,
        funnel * (1.0 - 0.7 * np.maximum(seal, bite)),
        spread,
        seal,
        bite,
        _activity(phones, times_s, style),
    )


def smooth_noise(times_s: Array, rng: np.random.Generator) -> Array:
    """Slow random wandering (N,) of about unit variance: six sines of 0.15 to 1.2 Hz."""
    rates_hz, phases = rng.uniform(0.15, 1.2, 6), rng.uniform(0, 2 * np.pi, 6)
    waves = np.sin(2 * np.pi * rates_hz[:, None] * times_s + phases[:, None])
    return np.asarray(waves.sum(axis=0) / np.sqrt(3.0))


def bump(times_s: Array, start_s: float, end_s: float, rise_s: float, fall_s: float) -> Array:
    """1 from start to end, with raised-cosine flanks outside them (N,)."""
    before = np.clip((times_s - (start_s - rise_s)) / rise_s, 0.0, 1.0)
    after = np.clip(((end_s + fall_s) - times_s) / fall_s, 0.0, 1.0)
    return np.asarray(0.25 * (1 - np.cos(np.pi * before)) * (1 - np.cos(np.pi * after)))


def _aims(phones: Sequence[Phone], rng: np.random.Generator) -> list[_Aim]:
    """One aim a phone, two for a diphthong; stress and chance scale vowels."""
    aims = []
    for phone in phones:
        amount = float(np.clip(rng.normal(1.0, 0.09), 0.75, 1.25))
        if phone.name in VOWELS:
            amount *= 1.14 if phone.stress else 0.82
        first, second = GLIDES.get(phone.name, (phone.name, ""))
        turn_s = phone.start_s + GLIDE_TURN * (phone.end_s - phone.start_s)
        aims.append(_Aim(first, phone.start_s, turn_s if second else phone.end_s, amount))
        if second:
            aims.append(_Aim(second, turn_s, phone.end_s, amount))
    return aims


def _dominance(aims: Sequence[_Aim], times_s: Array, kind: str, style: Style) -> Array:
    """Pull of every aim at every time (aims, N) before its own weight: 1 inside, fading outside."""
    before_s, after_s = (style.reach * fade for fade in _FADE_S[kind])
    rows = []
    for aim in aims:
        # A pause lets go early and takes hold late: the mouth prepares and relaxes inside it.
        pause = aim.name == SILENCE
        start_s = aim.start_s + (_AFTER_SPEECH_S * 0.5 if pause and aim.start_s > 0 else 0.0)
        end_s = max(aim.end_s - (_BEFORE_SPEECH_S * 0.5 if pause else 0.0), start_s)
        early = np.maximum(start_s - times_s - _LEAD_S, 0.0) / before_s
        late = np.maximum(times_s + _LEAD_S - end_s, 0.0) / after_s
        rows.append(np.exp(-((early + late) ** 1.5)))
    return np.stack(rows)


def _blend(aims: Sequence[_Aim], times_s: Array, kind: str, style: Style) -> Array:
    """Weighted mean of the aims' openings, of the lips ("opening") or the jaw alone ("jaw")."""
    targets = [TARGETS[aim.name] for aim in aims]
    weights = np.array([getattr(target, f"{kind}_weight") for target in targets])
    values = np.array([getattr(target, f"{kind}_mm") for target in targets])
    values *= np.array([aim.amount for aim in aims])
    scale = style.jaw if kind == "jaw" else 0.6 * style.jaw + 0.4 * style.lips
    return scale * _mean(values, weights, _dominance(aims, times_s, kind, style), style)


def _shapes(aims: Sequence[_Aim], times_s: Array, style: Style) -> tuple[Array, Array, Array]:
    """Pucker, funnel and spread (N,) each."""
    targets = [TARGETS[aim.name] for aim in aims]
    weights = np.array([target.shape_weight for target in targets])
    pull = _dominance(aims, times_s, "shape", style)
    amounts = np.array([aim.amount for aim in aims])
    pucker, funnel, spread = (
        style.lips * _mean(amounts * np.array(values), weights, pull, style)
        for values in (
            [target.pucker for target in targets],
            [target.funnel for target in targets],
            [target.spread for target in targets],
        )
    )
    return np.minimum(pucker, 1.0), funnel, spread


def _mean(values: Array, weights: Array, pull: Array, style: Style) -> Array:
    """Blend values (aims,) by pull (aims, N) and weights (aims,), then smooth."""
    pulls = weights[:, None] * pull + 1e-12
    blended = (values[:, None] * pulls).sum(axis=0) / pulls.sum(axis=0)
    return np.asarray(gaussian_filter1d(blended, style.smoothing_s * GRID_HZ, mode="nearest"))


def _holds(
    phones: Sequence[Phone], times_s: Array, names: frozenset[str], rise_s: float, fall_s: float
) -> Array:
    """Plateaus of 1 (N,) over the named phones: their closure, not their release."""
    held = np.zeros_like(times_s)
    for phone in phones:
        if phone.name in names:
            length_s = phone.end_s - phone.start_s
            middle_s = phone.start_s + 0.45 * length_s
            half_s = 0.5 * max(0.7 * length_s, _SHORTEST_HOLD_S)
            plateau = bump(times_s, middle_s - half_s, middle_s + half_s, rise_s, fall_s)
            held = np.maximum(held, plateau)
    return held


def _part(opening_mm: Array, seal: Array, bite: Array) -> Array:
    """Lay contacts over the opening: biting leaves a narrow slit, sealing leaves nothing."""
    bitten = opening_mm + bite * (np.minimum(opening_mm, _BITE_MM) - opening_mm)
    return np.asarray(bitten * (1.0 - seal))


def _activity(phones: Sequence[Phone], times_s: Array, style: Style) -> Array:
    """1 while speaking, easing to 0 in pauses (N,)."""
    speaking = np.zeros_like(times_s)
    for phone in phones:
        if phone.name != SILENCE:
            speaking[(times_s >= phone.start_s - 0.05) & (times_s <= phone.end_s + 0.08)] = 1.0
    return np.asarray(gaussian_filter1d(speaking, 0.06 * GRID_HZ, mode="nearest"))
