"""What a speaking face does besides speaking: brow accents, lids, blinks."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.corpus.articulation import Array, bump, smooth_noise
from training.corpus.phones import SILENCE, Phone
from training.corpus.styles import Style

_BLINK_CLOSE_S, _BLINK_HOLD_S, _BLINK_OPEN_S = 0.080, 0.045, 0.140
_LONG_PAUSE_S = 0.15


def upper_face(
    phones: Sequence[Phone], times_s: Array, style: Style, rng: np.random.Generator
) -> Mapping[str, Array]:
    """Weights (N,) of brow and eye shapes by name."""
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
        weights[f"eyeBlink_{side}"] = blink
    return weights


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
