"""What each emotion is to the emotion encoder: the pack's palette of emotions."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..config import Recipe
from ..corpus import emotions
from ..corpus.clips import Clip, CorpusError, Track, read_clips, read_samples, read_track
from ..corpus.phones import SILENCE
from ..emotion_encoder import EmotionEncoder
from ..encoders.interface import SpeechEncoder
from ..rig_file import Array

Mask = NDArray[np.bool_]

# Enough for a mean, and minutes even with a large encoder.
MOST_CLIPS = 40


class Prototypes(NamedTuple):
    """Features (E, L, K) of each emotion at rising amounts (L,), 0 (neutral) to 1."""

    names: tuple[str, ...]
    amounts: Array
    features: Array


def of(corpus: Path, recipe: Recipe, encoder: SpeechEncoder) -> Prototypes:
    """The palette of the emotions that a corpus acts; raises CorpusError.

    The compact encoder is a classifier and knows what it says of each. Means of what it heard lie
    close to neutral for an emotion that it seldom hears, and then no network could be told to show
    it. Other encoders' features can only be measured.
    """
    if not isinstance(encoder, EmotionEncoder):
        return measure(corpus, recipe, encoder)
    full = len(emotions.AMOUNTS) - 1
    said = {}
    for name in {clip.emotion for clip in read_clips(corpus, "train")}:
        level = 0 if name == emotions.NEUTRAL else full
        said[name, level] = encoder.certain(name, emotions.AMOUNTS[level]).numpy()
    return _table(said)


def measure(corpus: Path, recipe: Recipe, encoder: SpeechEncoder) -> Prototypes:
    """Mean features over the frames in which train clips act each emotion at each intensity.

    Raises CorpusError when the corpus has no neutral speech or no emotion. An intensity that
    nobody acts lies on the line between its neighbours.
    """
    sums: dict[tuple[str, int], Array] = {}
    counts: dict[tuple[str, int], int] = {}
    for clip in _some(read_clips(corpus, "train")):
        track = read_track(corpus, clip)
        with torch.inference_mode():
            heard = encoder(torch.from_numpy(read_samples(corpus, clip))[None])[0].numpy()
        for span, inside in _acted(track, len(heard), encoder.rate_hz):
            key = (span.emotion, span.intensity)
            sums[key] = sums.get(key, np.zeros(heard.shape[1])) + heard[inside].sum(axis=0)
            counts[key] = counts.get(key, 0) + int(inside.sum())
    means = {key: sums[key] / count for key, count in counts.items() if count}
    return _table(means)


def _some(rows: Sequence[Clip]) -> list[Clip]:
    """At most so many clips that begin with each emotion at each intensity."""
    seen: dict[tuple[str, int], int] = {}
    chosen = []
    for clip in rows:
        key = (clip.emotion, clip.intensity)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= MOST_CLIPS:
            chosen.append(clip)
    return chosen


def _acted(track: Track, frames: int, rate_hz: float) -> Iterator[tuple[emotions.Span, Mask]]:
    """Each span, and the feature frames (S,) in which somebody speaks inside it."""
    times_s = (np.arange(frames) + 0.5) / rate_hz
    speaking = np.zeros(frames, dtype=bool)
    for phone in track.phones:
        if phone.name != SILENCE:
            speaking |= (times_s >= phone.start_s) & (times_s < phone.end_s)
    for span in track.spans:
        yield span, speaking & (times_s >= span.start_s) & (times_s < span.end_s)


def _table(means: dict[tuple[str, int], Array]) -> Prototypes:
    acted = {name for name, _ in means}
    names = tuple(name for name in emotions.EMOTIONS if name in acted)
    neutral = means.get((emotions.NEUTRAL, 0))
    if neutral is None or len(names) < 2:
        message = "its clips act no emotion, or none is neutral"
        raise CorpusError("corpus_emotions", message, "make one with emotion_share above 0")
    amounts = np.array(emotions.AMOUNTS, np.float32)
    rows = [_row(name, means, neutral, amounts) for name in names]
    return Prototypes(names, amounts, np.stack(rows).astype(np.float32))


def _row(name: str, means: dict[tuple[str, int], Array], neutral: Array, amounts: Array) -> Array:
    """One emotion's features (L, K), from neutral upwards."""
    known = {0: neutral} | {level: mean for (of, level), mean in means.items() if of == name}
    at = [amounts[level] for level in sorted(known)]
    columns = np.stack([known[level] for level in sorted(known)], axis=1)
    return np.stack([np.interp(amounts, at, column) for column in columns], axis=1)
