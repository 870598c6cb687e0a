"""What a speaking face does besides speaking: brow accents, lids, blinks."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.corpus.articulation import Array, bump, smooth_noise
from training.corpus.phones import SILENCE, Phone
from training.corpus.styles import Style

_BLINK_CLOSE_S, _BLINK_HOLD_S, _BLINK_OPEN_S = 0.080, 0.045, 0.140
_LONG_PAUSE_S = 0.15
_SACCADE_S = 0.045
# Standard deviations of fixations as weights of the looking shapes (30 and 25 degrees at 1).
_GAZE_SIDEWAYS, _GAZE_UP = 0.10, 0.06


def upper_face(
    phones: Sequence[Phone],
    times_s: Array,
    style: Style,
    mood: Mapping[str, Array],
    rng: np.random.Generator,
) -> Mapping[str, Array]:
    """Weights (N,) of brow, cheek and eye shapes by name; the mood's (N,) by name are added."""
    raised, lowered = _brow_accents(phones, times_s, style, rng)
    blink = _blinks(phones, times_s, style, rng)
    tilt = style.asymmetry + 0.15 * float(rng.normal())
    weights: dict[str, Array] = {}
    for side, share in (("L", 1.0 + tilt), ("R", 1.0 - tilt)):
        weights[f"browInnerUp_{side}"] = np.clip(0.8 * raised, 0.0, 1.0)
        weights[f"browOuterUp_{side}"] = np.clip(share * raised, 0.0, 1.0)
        weights[f"browDown_{side}"] = np.clip(share * lowered, 0.0, 1.0)
        weights[f"eyeWide_{side}"] = np.clip(0.45 * raised * (1.0 - blink), 0.0, 1.0)
        weights[f"eyeSquint_{side}"] = np.clip(0.5 * lowered, 0.0, 1.0)
        weights[f"eyeBlink_{side}"] = np.zeros_like(blink)
    for name, weight in mood.items():
        weights[name] = weights.get(name, np.zeros_like(weight)) + weight
    for side in "LR":
        # A closing lid takes over from all else that moves lids, or they would overlap.
        for name in (f"eyeSquint_{side}", f"eyeWide_{side}", f"cheekSquint_{side}"):
            weights[name] = weights.get(name, np.zeros_like(blink)) * (1.0 - blink)
        lowered = weights[f"eyeBlink_{side}"]
        weights[f"eyeBlink_{side}"] = lowered + (1.0 - lowered) * blink
    return {name: np.clip(weight, 0.0, 1.0) for name, weight in weights.items()}


def gaze(times_s: Array, amount: float, rng: np.random.Generator) -> Mapping[str, Array]:
    """Weights (N,) of the eyes' looking shapes: small saccades between fixations.

    Both eyes turn together. At an amount of 1 fixations lie about 4 degrees apart sideways and
    half that up and down, and last 0.3 to 2.5 s.
    """
    if amount == 0.0:
        return {}
    at_s, turns = [0.0], [(0.0, 0.0)]
    while at_s[-1] < times_s[-1]:
        still_s = float(np.clip(rng.exponential(0.9), 0.3, 2.5))
        goal = (amount * rng.normal(0.0, _GAZE_SIDEWAYS), amount * rng.normal(0.0, _GAZE_UP))
        at_s += [at_s[-1] + still_s, at_s[-1] + still_s + _SACCADE_S]
        turns += [turns[-1], goal]
    sideways, up = (np.interp(times_s, at_s, part) for part in zip(*turns, strict=True))
    left, right = np.maximum(sideways, 0.0), np.maximum(-sideways, 0.0)
    weights = {
        "eyeLookOut_L": left, "eyeLookIn_R": left, "eyeLookIn_L": right, "eyeLookOut_R": right,
    }  # fmt: skip
    for side in "LR":
        weights[f"eyeLookUp_{side}"] = np.maximum(up, 0.0)
        weights[f"eyeLookDown_{side}"] = np.maximum(-up, 0.0)
    return {name: np.minimum(weight, 0.6) for name, weight in weights.items()}


def _brow_accents(
    phones: Sequence[Phone], times_s: Array, style: Style, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Brows raised and lowered (N,) on some stressed vowels, over a slow drift."""
    drift = 0.05 * style.brow_amount * smooth_noise(times_s, rng)
    raised, lowered = np.maximum(drift, 0.0), np.maximum(-drift, 0.0)
    for phone in phones:
        if not phone.stress or rng.random() > style.brow:
            continue
        amount = style.brow_amount * float(rng.uniform(0.4, 1.0))
        hold_s = float(rng.uniform(0.05, 0.25))
        accent = amount * bump(times_s, phone.start_s, phone.start_s + hold_s, 0.16, 0.38)
        if rng.random() < 0.75:
            raised = np.maximum(raised, accent)
        else:
            lowered = np.maximum(lowered, 0.8 * accent)
    return raised, lowered


def _blinks(
    phones: Sequence[Phone], times_s: Array, style: Style, rng: np.random.Generator
) -> Array:
    """Both lids (N,): 265 ms blinks 2 to 5 s apart, drawn to pauses that are near."""
    pauses = [p.middle_s for p in phones if p.name == SILENCE and _long(p)]
    lids = np.zeros_like(times_s)
    at_s = float(rng.uniform(0.3, style.blink_interval_s))
    while at_s < times_s[-1]:
        near = [pause for pause in pauses if abs(pause - at_s) < 0.4]
        at_s = near[0] if near else at_s
        lids = np.maximum(
            lids, bump(times_s, at_s, at_s + _BLINK_HOLD_S, _BLINK_CLOSE_S, _BLINK_OPEN_S)
        )
        at_s += float(np.clip(rng.normal(style.blink_interval_s, 0.8), 2.0, 5.0))
    return lids


def _long(phone: Phone) -> bool:
    return phone.end_s - phone.start_s > _LONG_PAUSE_S
