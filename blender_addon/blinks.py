"""When a speaker blinks: pure arithmetic, knows no Blender.

Stated rules, after what is known of people in conversation (Bentivoglio et al. 1997 count some 15
to 26 blinks a minute; Nakano and Kitazawa 2010 find them at the ends and pauses of speech):
- Intervals are log-normal about the mean, at least 1 s.
- A blink whose moment falls near a phrase's end waits for it, or comes a little early.
- Where the performance shuts the eyes by itself, that counts as a blink.
- Lids fall in 100 to 150 ms, stay shut for one frame, and rise in 180 to 280 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_SPREAD = 0.45
_LEAST_S = 1.0
_FIRST_S = 0.3
_REACH_S = 1.0
_AFTER_END_S = 0.12
_OWN_S = 0.8
_DOWN_S = (0.10, 0.15)
_UP_S = (0.18, 0.28)
_QUIET_S = 0.2
_QUIET_SHARE = 0.15


@dataclass(frozen=True)
class Manner:
    """Mean seconds from blink to blink, and the seed of everything that varies."""

    interval_s: float = 4.0
    seed: int = 0


class Blink(NamedTuple):
    """When the lids begin to fall, and how long they take to fall and to rise."""

    start_s: float
    down_s: float
    up_s: float


def blinks(duration_s: float, quiet_s: Sequence[tuple[float, float]], own_s: Sequence[float],
           manner: Manner) -> list[Blink]:
    """Blinks within a performance: `quiet_s` are the stretches where nothing is said, `own_s` the
    moments where its own motion shuts the eyes."""
    random = np.random.Generator(np.random.PCG64(manner.seed))
    made: list[Blink] = []
    at_s = float(random.uniform(_FIRST_S, max(manner.interval_s, 2 * _FIRST_S)))
    last_s = -_LEAST_S
    while at_s < duration_s:
        at_s = max(_drawn_to_quiet(at_s, quiet_s, random), last_s + _LEAST_S)
        down_s, up_s = random.uniform(*_DOWN_S), random.uniform(*_UP_S)
        own = [moment for moment in own_s if abs(moment - at_s) < _OWN_S]
        if own:
            at_s = max(at_s, *own)
        elif at_s + down_s + up_s < duration_s:
            made.append(Blink(at_s, float(down_s), float(up_s)))
        last_s = at_s
        at_s += _interval_s(manner.interval_s, random)
    return made


def _interval_s(mean_s: float, random: np.random.Generator) -> float:
    drawn = mean_s * np.exp(random.normal(-_SPREAD**2 / 2, _SPREAD))
    return float(np.clip(drawn, _LEAST_S, 3 * mean_s))


def _drawn_to_quiet(at_s: float, quiet_s: Sequence[tuple[float, float]],
                    random: np.random.Generator) -> float:
    """The moment itself where nothing is said, else shortly after the nearest phrase's end within
    reach, else the moment itself."""
    late_s = float(random.uniform(0.0, _AFTER_END_S))
    if any(start <= at_s <= end for start, end in quiet_s):
        return at_s
    ends = [start + late_s for start, _end in quiet_s if abs(start - at_s) <= _REACH_S]
    return min(ends, key=lambda end_s: abs(end_s - at_s), default=at_s)


def quiet_spans(speed: npt.NDArray[Any], fps: float) -> list[tuple[float, float]]:
    """Stretches in seconds where the mouth rests for at least 0.2 s: its speed (T,) in any unit
    stays below a share of what is usual while it moves."""
    moving = speed[speed > speed.max(initial=0.0) * 0.02]
    still = speed <= _QUIET_SHARE * (np.median(moving) if len(moving) else np.inf)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]])))
    return [(int(start) / fps, int(end) / fps)
            for start, end in zip(edges[::2], edges[1::2], strict=True)
            if end - start >= _QUIET_S * fps]


def shut_moments(closure: npt.NDArray[Any], fps: float) -> list[float]:
    """Seconds at which a performance's own closure (T,) of the lids, 0 open to 1 shut, peaks."""
    shut = closure > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]])))
    return [(int(start) + int(closure[start:end].argmax())) / fps
            for start, end in zip(edges[::2], edges[1::2], strict=True)]


def keyframes(made: Sequence[Blink], closure: npt.NDArray[Any],
              fps: float) -> npt.NDArray[np.float32]:
    """Keyframes (4 N, 2), frame from the beginning and value: open, shut, still shut, open. Lids
    that the performance has lowered, `closure` (T,), are shut no further than shut."""
    rows: list[tuple[float, float]] = []
    for blink in made:
        start = round(blink.start_s * fps)
        shut = start + max(1, round(blink.down_s * fps))
        again = shut + 1 + max(1, round(blink.up_s * fps))
        lowered = closure[min(shut, len(closure) - 1)] if len(closure) else 0.0
        value = 1.0 - float(np.clip(lowered, 0.0, 1.0))
        rows += [(start, 0.0), (shut, value), (shut + 1, value), (again, 0.0)]
    return np.array(rows, dtype=np.float32).reshape(-1, 2)
