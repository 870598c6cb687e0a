"""A performance: shape weights on the rig, frame by frame, for phones spoken in a style."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backend.errors import SoliloquyError
from training.corpus import emotions
from training.corpus.articulation import GRID_HZ, Array, MouthCurves, mouth_curves, smooth_noise
from training.corpus.closures import Closure, Lids, closure_of, lids_of
from training.corpus.emotions import Mood, Span
from training.corpus.gestures import gaze, upper_face
from training.corpus.phones import Phone
from training.corpus.styles import Style


class RigError(SoliloquyError):
    """A rig file that is missing or lacks a shape the mouth needs."""


# The shapes that the mouth's motion is made of; a rig without one of them cannot speak.
MOUTH_SHAPES = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthUpperUp_L", "mouthUpperUp_R",
    "mouthLowerDown_L", "mouthLowerDown_R", "mouthRollLower", "mouthRollUpper", "mouthShrugUpper",
    "mouthSmile_L", "mouthSmile_R", "mouthStretch_L", "mouthStretch_R", "mouthPress_L",
    "mouthPress_R",
)  # fmt: skip


@dataclass(frozen=True)
class LipGains:
    """How many mm each shape opens the lips at weight 1: names (S,), gains_mm (S, lip pairs).

    The closure measures the lips' surfaces, the lids both eyes'; without landmarks there is none.
    """

    names: tuple[str, ...]
    gains_mm: Array
    closure: Closure | None = None
    lids: Sequence[Lids] = ()

    def openings_mm(self, weights: Array) -> Array:
        """Opening at each lip pair (T, pairs) of weights (T, S), relative to rest."""
        return np.asarray(weights @ self.gains_mm)

    def of(self, name: str) -> float:
        """The mean gain of one shape, mm."""
        return float(self.gains_mm[self.names.index(name)].mean())


def lip_gains(rig: Path) -> LipGains:
    """Measure the lip gains on a rig file's inner lip pairs; raises RigError."""
    try:
        with np.load(rig, allow_pickle=False) as file:
            names, fields, pairs = file["names"], file["fields"], file["lip_pairs"]
    except (OSError, KeyError, ValueError) as error:
        raise RigError(
            "rig_missing", f"no rig at {rig}", "run python -m training rig first"
        ) from error
    missing = [name for name in MOUTH_SHAPES if name not in names]
    if missing:
        raise RigError("rig_shapes", f"{rig} lacks {', '.join(missing)}", "make the rig again")
    heights = 1000.0 * fields[:, :, 1].astype(np.float64)
    gains = heights[:, pairs[:, 0]] - heights[:, pairs[:, 1]]
    return LipGains(tuple(str(name) for name in names), gains, closure_of(rig), lids_of(rig))


class Part(NamedTuple):
    """Who performs and how: manner, emotions over the clip, and how much the eyes wander (0..1)."""

    style: Style
    spans: Sequence[Span] = ()
    gaze: float = 0.0


def perform(
    phones: Sequence[Phone],
    seconds: float,
    fps: float,
    part: Part,
    gains: LipGains,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Weights (ceil(seconds * fps), S) in the rig's order; frame i is the face at i / fps."""
    frames = int(np.ceil(round(seconds * fps, 6)))
    times_s = np.arange(int(np.ceil((frames / fps + 0.1) * GRID_HZ))) / GRID_HZ
    # Of their own chances, so that a line's articulation is the same in every emotion.
    (other,) = rng.spawn(1)
    curves = mouth_curves(phones, times_s, part.style, rng)
    mood = emotions.mood(part.spans, times_s, curves.activity, part.style, other)
    curves = curves._replace(opening_mm=curves.opening_mm + _freely(curves) * mood.opening_mm)
    shapes = dict(_mouth(curves, times_s, part.style, gains, mood, rng))
    shapes |= upper_face(phones, times_s, part.style, mood.upper, rng)
    for name, wandering in gaze(times_s, part.gaze, other).items():
        shapes[name] = shapes.get(name, 0.0) + wandering
    at_s = np.arange(frames) / fps
    weights = _sampled(shapes, times_s, at_s, gains.names)
    for lids in gains.lids:
        weights = lids.eased(weights)
    if gains.closure is None:
        return weights
    sealed = gains.closure.closed(weights, np.interp(at_s, times_s, curves.seal))
    return gains.closure.parted(sealed, gains.openings_mm(sealed.astype(np.float64)).min(axis=1))


def _freely(curves: MouthCurves) -> Array:
    """1 where nothing holds the lips (N,), 0 where they are sealed or bitten."""
    return np.asarray((1.0 - curves.seal) * (1.0 - curves.bite))


def _mouth(
    curves: MouthCurves,
    times_s: Array,
    style: Style,
    gains: LipGains,
    mood: Mood,
    rng: np.random.Generator,
) -> Mapping[str, Array]:
    """Weights (N,) of the mouth's shapes: aims first, then whatever makes the opening come true."""
    tilt = style.asymmetry * (1.0 + 0.5 * smooth_noise(times_s, rng))
    tone = np.maximum(0.05 + 0.03 * smooth_noise(times_s, rng), 0.0) * curves.activity
    # Puckered lips are pressed already, and overlap when they close.
    pressed = (0.15 + 0.4 * style.tension) * curves.seal * (1.0 - 0.8 * curves.pucker)
    shapes = {
        # An emotion that parts the lips lets the jaw fall, too.
        "jawOpen": (curves.jaw_mm + 0.6 * mood.opening_mm) / gains.of("jawOpen"),
        "mouthFunnel": curves.funnel,
        "mouthPucker": curves.pucker * (1.0 - 0.6 * curves.seal),
        "mouthRollLower": 0.42 * curves.bite + 0.10 * curves.seal,
        "mouthRollUpper": 0.08 * curves.seal,
        "mouthShrugUpper": 0.06 * curves.pucker,
    }
    for side, share in (("L", 1.0 + tilt), ("R", 1.0 - tilt)):
        shapes[f"mouthSmile_{side}"] = share * (0.30 * curves.spread + 0.6 * tone)
        shapes[f"mouthStretch_{side}"] = share * 0.45 * curves.spread
        shapes[f"mouthPress_{side}"] = pressed
        shapes[f"mouthUpperUp_{side}"] = 0.22 * curves.bite * share
    for name, weight in mood.mouth.items():
        if name in gains.names:
            # Unevenly parted lips could not be sealed.
            eased = weight * (1.0 - 0.75 * curves.seal)
            shapes[name] = np.minimum(shapes.get(name, np.zeros_like(weight)) + eased, 1.0)
    return _balanced(shapes, curves, tilt, gains)


def _balanced(
    shapes: dict[str, Array], curves: MouthCurves, tilt: Array, gains: LipGains
) -> Mapping[str, Array]:
    """Part or close the lips by what is missing to the wanted opening."""
    closing = _closing(shapes, curves, gains)
    lower, upper = (
        gains.of(f"mouth{part}_L") + gains.of(f"mouth{part}_R") for part in ("LowerDown", "UpperUp")
    )
    parting = np.maximum(-closing, 0.0) * -gains.of("mouthClose") / (lower + 0.6 * upper)
    for side, share in (("L", 1.0 + tilt), ("R", 1.0 - tilt)):
        shapes[f"mouthLowerDown_{side}"] = share * parting
        shapes[f"mouthUpperUp_{side}"] = shapes[f"mouthUpperUp_{side}"] + 0.6 * share * parting
    shapes["mouthClose"] = np.maximum(closing, 0.0)
    return shapes


def _closing(shapes: Mapping[str, Array], curves: MouthCurves, gains: LipGains) -> Array:
    """The weight of mouthClose (N,) that gives the wanted opening; negative where lips must part.

    Of the lip pairs' openings the mean counts, but in a closure the widest: no slit may stay.
    """
    rows = [gains.gains_mm[gains.names.index(name)] for name in shapes]
    opened = np.stack(list(shapes.values()), axis=1) @ np.stack(rows)
    shuts = -gains.gains_mm[gains.names.index("mouthClose")]
    excess = opened - curves.opening_mm[:, None]
    mean, widest = excess.mean(axis=1) / shuts.mean(), (excess / shuts).max(axis=1)
    return np.asarray(mean + curves.seal * (widest - mean))


def _sampled(
    shapes: Mapping[str, Array], times_s: Array, at_s: Array, names: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Read the curves at the frames' times, in the rig's order of shapes."""
    weights = np.zeros((len(at_s), len(names)), np.float32)
    for index, name in enumerate(names):
        if name in shapes:
            weights[:, index] = np.interp(at_s, times_s, shapes[name])
    return weights
