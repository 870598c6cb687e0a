"""Train the AD-VAE: ExpTalk's stage 1, which is GLDiTalker's but for the network and eq. 7."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from .. import checkpoint, crops, latents, loop
from ..config import Recipe
from ..encoders import table
from ..rig_file import Rig
from ..stage1 import MotionCrops, Stage1Task
from ..vqvae import Reconstruction
from . import lines
from .advae import AdVae
from .lines import Line


class AdVaeTask(Stage1Task):
    """The AD-VAE as the training loop sees it; ``voices`` are emotion features (T, K) by line.

    They are centred: what all speech has in common makes all their cosines alike, and encodings
    would meet eq. 6 by a constant instead of by their emotion.
    """

    def __init__(self, recipe: Recipe, rig: Rig, motion: MotionCrops, voices: list[Tensor]) -> None:
        mean = torch.cat(voices).mean(dim=0)
        self.options, self.voices = recipe.exptalk, [voice - mean for voice in voices]
        self.codebook_weight = recipe.exptalk.codebook_weight
        super().__init__(recipe.stage1, rig, motion)

    def network(self, rig: Rig) -> AdVae:
        """As `Stage1Task.network`."""
        size = self.voices[0].shape[1]
        return AdVae(self.config, self.options, rig.rest, rig.faces, size)

    def beside(
        self, result: Reconstruction, present: Tensor, chosen: list[crops.Crop]
    ) -> loop.Step:
        """Eq. 6, the contrastive loss, on this process' crops, and what traces are left."""
        assert isinstance(self.model, AdVae)
        if self.model.contrast is None:
            return super().beside(result, present, chosen)
        pieces = [self.voices[crop.clip][crop.start : crop.stop] for crop in chosen]
        voice = self.motion.here.mine(crops.stack(pieces, crops.longest(chosen)))
        motion, emotion = (part.latents for part in result.parts)
        losses = {"contrast": self.model.contrast(voice, motion, emotion, present)}
        total = self.options.contrast_weight * losses["contrast"]
        if self.model.traces is not None:
            losses["traces"] = self.model.traces(voice, motion, present)
            total = total + self.options.traces_weight * losses["traces"]
        return loop.Step(total, {name: loss.item() for name, loss in losses.items()})


def task(
    recipe: Recipe, work: Path, rig: Rig, motion: MotionCrops, rows: Sequence[Line]
) -> AdVaeTask:
    """The task on the motion of those lines; raises EncoderFileError."""
    return AdVaeTask(recipe, rig, motion, voices(work, recipe, rows))


def voices(work: Path, recipe: Recipe, rows: Sequence[Line]) -> list[Tensor]:
    """Emotion features (T, K) of lines, from WORK/voices.pt if it holds what this encoder hears of
    these sounds."""
    path = work / "voices.pt"
    names = [line.name for line in rows]
    encoder = latents.digest(table.emotion_weights_file(recipe, work))
    corpus = work / "corpus"
    key = f"{encoder} {recipe.fps}{lines.mark(recipe)} {latents.indices(corpus)}"
    key += f" {_sounds(corpus, rows)}"
    if path.is_file():
        state = checkpoint.load(path, "train-stage1")
        if (state["key"], state["names"]) == (key, names):
            return list(state["voices"])
    made = _heard(work, recipe, rows)
    checkpoint.save(path, {"key": key, "names": names, "voices": made})
    return made


def _sounds(corpus: Path, rows: Sequence[Line]) -> str:
    """Changes when a sound does: their sizes and times, as to read them all takes long."""
    paths = [corpus / clip.wav for line in rows for clip in line.clips]
    states = [path.stat() for path in paths if path.is_file()]
    text = " ".join(f"{state.st_size} {state.st_mtime_ns}" for state in states)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _heard(work: Path, recipe: Recipe, rows: Sequence[Line]) -> list[Tensor]:
    encoder, made = table.load_emotion(recipe, work), []
    for number, line in enumerate(rows):
        if number % latents.REPORT_EVERY == 0:
            print(f"hearing emotion in line {number} of {len(rows)}", file=sys.stderr, flush=True)
        frames = len(lines.read_track(work / "corpus", line, recipe).weights)
        samples = lines.read_samples(work / "corpus", line, recipe)
        made.append(torch.from_numpy(latents.features_of(encoder, samples, frames, recipe.fps)))
    return made
