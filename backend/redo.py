"""Part of an earlier motion made again between neighbours that stay.

The neighbours' codes are held while the part is drawn (`sampler.held`), and the part may go its own
way only gradually, over EASE_S at each end, so that it leaves and joins them without a jump. The
decoder sees its neighbours' codes, too, so what it makes of the held frames next to the part
differs a little from before; that difference fades out over FADE_S, and every frame beyond is the
earlier motion's, byte for byte.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import motion
from .errors import MotionError, RequestError
from .messages import Redo
from .pack import Pack

Floats = npt.NDArray[np.float32]

EASE_S = 0.2
FADE_S = 0.2
# What the networks see of the held motion at each side: more than they look back or ahead.
CONTEXT_S = 8.0
_FRAME_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Patch:
    """Frames [start, end) are made again; [first, stop) around them is what the networks see."""

    start: int
    end: int
    first: int
    stop: int
    fps: float

    @property
    def freedom(self) -> Floats:
        """How far each frame of [first, stop) may go its own way, (stop - first, 1): 0 outside
        [start, end), 1 inside but for EASE_S at each end that has a neighbour."""
        ease = min(round(EASE_S * self.fps), (self.end - self.start) // 4)
        return self._ramp(self.start + ease if self.start > self.first else self.start,
                          self.end - ease if self.end < self.stop else self.end, ease)[:, None]

    @property
    def share(self) -> Floats:
        """What each frame of [first, stop) takes of the new motion, (stop - first,): 1 inside
        [start, end), down to 0 over FADE_S outside."""
        return self._ramp(self.start, self.end, round(FADE_S * self.fps))

    def _ramp(self, start: int, end: int, width: int) -> Floats:
        """1 on [start, end), linear to 0 over `width` frames at both sides."""
        frames = np.arange(self.first, self.stop)
        distance = np.maximum(np.maximum(start - frames, frames - end + 1), 0)
        return np.maximum(1 - distance / (width + 1), 0).astype(np.float32)


@dataclass(frozen=True)
class Earlier:
    """A motion file of which a part is to be made again; `numbers` (T, H) are its codes."""

    stored: motion.Stored
    numbers: npt.NDArray[np.uint16]
    patch: Patch


def open_earlier(redo: Redo, pack: Pack, code_count: int) -> Earlier:
    """The motion to be redone, looked at; raises MotionError when it is none or not this pack's,
    RequestError when the range is not in it."""
    stored = motion.look(redo.motion)
    codes, manifest = stored.codes, pack.manifest
    if codes is None:
        raise _unfit(redo, "does not say which codes it is made of")
    if codes.pack != pack.fingerprint:
        raise _unfit(redo, f"was not made by the model '{manifest.name}' as it is now")
    if codes.numbers.shape[1] != manifest.latent_shape[0] or codes.numbers.max() >= code_count:
        raise _unfit(redo, "has codes that the model does not have")
    return Earlier(stored, codes.numbers, place(redo, stored.shape[0], stored.info.fps))


def place(redo: Redo, frames: int, fps: float) -> Patch:
    """The range in frames: frame k is in it when start_s <= k / fps < end_s; raises RequestError
    when no frame is."""
    if not (0 <= redo.start_s < redo.end_s < math.inf):
        raise _outside(redo, frames, fps)
    start, end = (min(math.ceil(seconds * fps - _FRAME_TOLERANCE), frames)
                  for seconds in (redo.start_s, redo.end_s))
    if start >= end:
        raise _outside(redo, frames, fps)
    context = round(CONTEXT_S * fps)
    return Patch(start, end, max(0, start - context), min(frames, end + context), fps)


def check_sound(earlier: Earlier, frames: int) -> None:
    """Raises MotionError when the sound is not as long as the one that the motion belongs to."""
    info, had = earlier.stored.info, earlier.stored.shape[0]
    if frames != had:
        raise MotionError("redo_sound", f"The motion '{earlier.stored.path}' has {had} frames for "
                          f"{info.audio_seconds:.2f} s of sound, this sound asks for {frames}.",
                          "Give the sound, start, duration and speed that it was made from.")


def spliced(old: Iterable[Floats], new: Iterable[Floats], patch: Patch) -> Iterator[Floats]:
    """Blocks of the earlier motion (t, V, 3) with the new motion of [first, stop), given in blocks
    of any length, taken in by its `share`."""
    share = patch.share[:, None, None]
    changed = patch.first + np.flatnonzero(patch.share)
    ahead = _Reader(new)
    ahead.take(int(changed[0]) - patch.first)
    at = 0
    for block in old:
        start, end = max(at, int(changed[0])), min(at + len(block), int(changed[-1]) + 1)
        if start < end:
            block = block.copy()
            here, part = block[start - at:end - at], share[start - patch.first:end - patch.first]
            here += part * (ahead.take(end - start) - here)
        yield block
        at += len(block)


class _Reader:
    """Blocks read any number of frames at a time."""

    def __init__(self, blocks: Iterable[Floats]) -> None:
        self._blocks = iter(blocks)
        self._rest: Floats | None = None

    def take(self, count: int) -> Floats:
        """The next `count` frames; raises StopIteration when there are fewer."""
        parts = [] if self._rest is None else [self._rest]
        while sum(map(len, parts)) < count or not parts:
            parts.append(next(self._blocks))
        whole = np.concatenate(parts)
        self._rest = whole[count:]
        return whole[:count]


def _outside(redo: Redo, frames: int, fps: float) -> RequestError:
    return RequestError("bad_redo", f"The range from {redo.start_s:g} s to {redo.end_s:g} s holds "
                        f"no frame of '{Path(redo.motion).name}', which has {frames / fps:.2f} s.",
                        "Choose a range inside the motion.")


def _unfit(redo: Redo, why: str) -> MotionError:
    return MotionError("redo_unfit", f"The motion '{redo.motion}' {why}, so no part of it can be "
                       "made again.", "Make the whole of it again with this model.")
