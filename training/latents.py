"""What stage 2 trains on, made once from the frozen networks and kept in WORK/latents.pt."""

import hashlib
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from backend import features as frame_features

from . import checkpoint, stage1
from .config import Recipe, RecipeError
from .corpus.clips import RECORDINGS
from .encoder import CompactEncoder
from .encoder_augment import SpectralWarp, spoil
from .encoders import table
from .encoders.interface import Heard, SpeechEncoder
from .exptalk import lines
from .rig_file import Array, Rig

REPORT_EVERY = 100
LATENTS, VERTICES = "latents", "vertices"


class Example(NamedTuple):
    """A line ready for stage 2: its target, features (copies, T, F), style number.

    The target is latents (T, H * C), or the rig's weights (T, K) where vertices are predicted: as
    vertices they would fill the memory.
    """

    target: Tensor
    features: Tensor  # or waveforms (copies, N), where the encoder learns along
    style: int


class Prepared(NamedTuple):
    """The training examples, the styles in the order of the one-hot vector, and the scale.

    The examples' latents are divided by ``scale``, so that their variance is 1. Where vertices are
    predicted, ``scale`` (metres) and ``mean`` (V, 3) are those of their normaliser. The last
    ``emotion_features`` of the features are those of the voice's emotion.
    """

    examples: list[Example]
    styles: tuple[str, ...]
    scale: float
    mean: Tensor | None
    emotion_features: int


def prepare(work: Path, recipe: Recipe, rig: Rig) -> Prepared:
    """Read WORK/latents.pt if it belongs to these networks and this corpus; else make it."""
    path, copies = work / "latents.pt", recipe.stage2.augmented_copies
    key = f"{networks(work, recipe)} {indices(work / 'corpus')} {copies}"
    key += lines.mark(recipe)
    if path.is_file():
        state = checkpoint.load(path, "train-stage2")
        if state["key"] == key:
            examples = [Example(*row) for row in state["examples"]]
            felt = state.get("emotion_features", 0)
            styles, scale = tuple(state["styles"]), state["scale"]
            return Prepared(examples, styles, scale, state.get("mean"), felt)
    made = _make(work, recipe, rig)
    rows = [tuple(example) for example in made.examples]
    checkpoint.save(path, {**made._asdict(), "key": key, "examples": rows})
    return made


def networks(work: Path, recipe: Recipe) -> str:
    """Changes when the encoder or stage 1 does: stage 2 fits only those it was trained on.

    Raises EncoderFileError.
    """
    files = [*table.ears_files(recipe, work)]
    if recipe.stage2.space == LATENTS:
        files.append(work / "stage1.pt")
    mark = digest(*files)
    mark += " side by side" if recipe.speech.side_by_side else ""
    return f"{mark} trained along" if recipe.speech.train else mark


def heard_by(ears: Sequence[SpeechEncoder], samples: Array, frames: int, fps: float) -> Array:
    """What every encoder hears of a waveform, side by side (T, F)."""
    return np.concatenate([features_of(ear, samples, frames, fps) for ear in ears], axis=1)


def features_of(heard: SpeechEncoder, samples: Array, frames: int, fps: float) -> Array:
    """A waveform's features (T, F) at the animation's frames, as the runtime makes them."""
    with torch.inference_mode():
        return _at_frames(heard, heard.hear(torch.from_numpy(samples)[None]), frames, fps)


def _at_frames(encoder: SpeechEncoder, heard: Heard, frames: int, fps: float) -> Array:
    """What was heard of one sound as features (T, F), at rest where nobody speaks."""
    features: Array = heard.features[0].numpy()
    if heard.voice_activity is not None:
        silence = encoder(torch.zeros(1, frame_features.SILENCE_SAMPLES))[0].numpy()
        features = frame_features.resting(
            features, heard.voice_activity[0].numpy(), frame_features.middle(silence),
            encoder.rate_hz,
        )  # fmt: skip
    return frame_features.to_frames(features, encoder.rate_hz, frames, fps)


def style_order(seen: set[str], first: Sequence[str]) -> tuple[str, ...]:
    """Styles as the recipe orders them (its first is the pack's default), then any others."""
    return (*(name for name in first if name in seen), *sorted(seen - set(first)))


def _make(work: Path, recipe: Recipe, rig: Rig) -> Prepared:
    corpus, target_of = work / "corpus", _target_of(work, recipe, rig)
    ears = table.ears(recipe, work)
    rows = lines.of(corpus, recipe)
    styles = style_order({line.style for line in rows}, recipe.corpus.styles)
    felt = sum(ear.size for ear in ears[1:])
    examples: list[Example] = []
    for line in rows:
        if len(examples) % REPORT_EVERY == 0:
            print(f"listening to line {len(examples)} of {len(rows)}", file=sys.stderr, flush=True)
        target = target_of(lines.read_track(corpus, line, recipe).weights)
        samples = lines.read_samples(corpus, line, recipe)
        features = _copies(ears, line.name, samples, len(target), recipe)
        examples.append(Example(target, features, styles.index(line.style)))
    if recipe.stage2.space == VERTICES:
        fitted = stage1.fit_normaliser(rig, [example.target.numpy() for example in examples])
        return Prepared(examples, styles, fitted.scale, torch.from_numpy(fitted.mean), felt)
    scale = torch.cat([example.target for example in examples]).square().mean().sqrt().item()
    scaled = [example._replace(target=example.target / scale) for example in examples]
    return Prepared(scaled, styles, scale, None, felt)


def _target_of(work: Path, recipe: Recipe, rig: Rig) -> Callable[[Array], Tensor]:
    """Shape weights (T, K) -> what an example holds of them; raises RecipeError."""
    if recipe.stage2.space == VERTICES:
        return torch.from_numpy
    if recipe.stage2.space != LATENTS:
        message = f"stage2.space is {recipe.stage2.space!r}"
        raise RecipeError(message, f"it must be {LATENTS!r} or {VERTICES!r}")
    first = stage1.load(work, recipe, rig)

    def latents(weights: Array) -> Tensor:
        motion = first.normalised(rig.displacements(weights))
        return first.model.codes_of(motion).flatten(1)

    return latents


def _copies(
    ears: Sequence[SpeechEncoder], name: str, samples: Array, frames: int, recipe: Recipe
) -> Tensor:
    """Features of the clean line and of its spoiled copies (copies, T, F).

    Where the encoder learns along, they are still to be heard: waveforms (copies, N).
    """
    clean = torch.from_numpy(samples)[None]
    dice = [torch.Generator().manual_seed(zlib.crc32(f"{name} {copy}".encode()))
            for copy in range(recipe.stage2.augmented_copies)]  # fmt: skip
    spoiled = [spoil(clean, rng) for rng in dice]
    if recipe.speech.train:
        return torch.cat([clean, *spoiled])
    rows = [heard_by(ears, samples, frames, recipe.fps)]
    for sound, rng in zip(spoiled, dice, strict=True):
        with torch.inference_mode():
            others = [(ear, _as_another_voice(ear, sound, rng)) for ear in ears]
        parts = [_at_frames(ear, other, frames, recipe.fps) for ear, other in others]
        rows.append(np.concatenate(parts, axis=1))
    return torch.from_numpy(np.stack(rows))


def _as_another_voice(heard: SpeechEncoder, waveform: Tensor, rng: torch.Generator) -> Heard:
    """What is heard of a voice made longer or shorter in the throat.

    Only a log-mel spectrum can be warped so: encoders without one hear the voice as it is.
    """
    if not isinstance(heard, CompactEncoder):
        return heard.hear(waveform)
    warp = SpectralWarp(heard.config.mel_bands)
    return heard.from_mel(warp(heard.log_mel.power(waveform), rng))


def indices(corpus: Path) -> str:
    """Changes when a clip or a recording joins the corpus or leaves it."""
    return digest(corpus / "clips.jsonl", corpus / RECORDINGS)


def digest(*files: Path) -> str:
    """One sha256 of those files that are there."""
    total = hashlib.sha256()
    for file in files:
        if file.is_file():
            total.update(file.read_bytes())
    return total.hexdigest()
