"""Emotional lines of the corpus through a pack: errors with what the voice tells, and with what
was acted painted over it; and how often the voice's emotion is heard rightly.

    python -m training evaluate --work WORK --pack PACK --acted [--split test-voices]
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend import emotions
from backend.emotions import Palette
from backend.messages import EmotionSpan

from .. import evaluate_corpus
from ..corpus.emotions import NEUTRAL
from ..corpus.phones import SILENCE
from ..evaluate_corpus import Bench, Truth
from ..metrics import Figure
from ..rig_file import Array
from ..speaking import PackSpeaker
from . import told

Floats = NDArray[np.float32]
Names = NDArray[np.str_]


class Taught(NamedTuple):
    """A pack that is told the acted emotions of the line that it speaks."""

    pack: PackSpeaker
    lane: tuple[EmotionSpan, ...]

    @property
    def fps(self) -> float:
        """The pack's."""
        return self.pack.fps

    def speak(self, samples: Array, style: str, seed: int, steps: int | None) -> Array:
        """As `Speaker.speak`."""
        return self.pack.speak(samples, style, seed, steps, self.lane)


def rows(
    pack: PackSpeaker, bench: Bench, everything: Sequence[Truth], steps: int | None, seeds: int
) -> dict[str, list[Figure]]:
    """The bench's lines with the voice's own emotion and with the true one.

    Emotions heard are counted on ``everything`` of the split, neutral lines too. Raises
    RequestError where one is acted that the pack does not know.
    """
    lanes = [told.lane_of(truth.spans) for truth in bench.truths]
    for lane in lanes:
        emotions.check(lane, pack.pack.manifest.emotions)
    own = evaluate_corpus.generation(pack, bench, steps, seeds)
    taught = [
        evaluate_corpus.measured(Taught(pack, lane), truth, bench, steps, seeds)
        for truth, lane in zip(bench.truths, lanes, strict=True)
    ]
    return {
        "voice's emotion": [*own, *hearing(pack, everything)],
        "true emotion": evaluate_corpus.pool(taught),
    }


def hearing(pack: PackSpeaker, truths: Sequence[Truth]) -> list[Figure]:
    """Share of spoken frames whose emotion is heard rightly, and its mean over emotions."""
    palette = pack.palette
    said = [nearest(pack.felt(truth.samples), palette) for truth in truths]
    meant = [meant_at(truth, len(names), pack.fps)
             for truth, names in zip(truths, said, strict=True)]  # fmt: skip
    heard, wanted = np.concatenate(said), np.concatenate(meant)
    right, spoken = heard == wanted, wanted != ""
    shares = [right[wanted == name].mean() for name in np.unique(wanted[spoken])]
    all_alike, mask = float(right[spoken].mean()), "frames in which somebody speaks"
    return [
        Figure("emotion heard rightly", all_alike, "share of frames", mask, int(spoken.sum())),
        Figure("emotions heard rightly", float(np.mean(shares)), "mean of shares", mask,
               len(shares)),
    ]  # fmt: skip


def nearest(felt: Floats, palette: Palette) -> Names:
    """The emotion of the palette's nearest prototype to each frame's features (T, K)."""
    emotion, amount = palette.nearest(felt)
    # At intensity 0 every emotion is neutral.
    return np.where(amount > 0, np.array(palette.names)[emotion], NEUTRAL)


def meant_at(truth: Truth, frames: int, fps: float) -> Names:
    """The acted emotion of each frame (T,), nothing where nobody speaks."""
    times_s = (np.arange(frames) + 0.5) / fps
    meant = np.full(frames, "", dtype="<U16")
    for span in truth.spans:
        meant[(times_s >= span.start_s) & (times_s < span.end_s)] = span.emotion
    speaking = np.zeros(frames, bool)
    for phone in truth.phones:
        if phone.name != SILENCE:
            speaking |= (times_s >= phone.start_s) & (times_s < phone.end_s)
    return np.where(speaking, meant, "")
