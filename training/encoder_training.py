"""Train the compact speech encoder on the studio corpus' speech."""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from training import checkpoint, encoder, encoder_augment, loop
from training import config as recipes
from training.config import EncoderConfig
from training.corpus import clips, recordings
from training.corpus.phones import PHONE_INDEX, SILENCE
from training.encoder import SAMPLE_RATE_HZ, SAMPLES_PER_FEATURE, CompactEncoder, EncoderHeads
from training.encoder_labels import (
    LABEL_RATE_HZ,
    VISEME_OF_PHONE,
    VOICED_PHONE,
    Labels,
    frame_labels,
)

_NOTHING_SAID = 0.08  # share of crops that hold noise or silence only
_SIL = PHONE_INDEX[SILENCE]


class Heard(NamedTuple):
    """One clip in memory: 16-bit samples (N,) and its labels at 200 Hz."""

    samples: npt.NDArray[np.int16]
    labels: Labels
    recorded: bool = False


class Batch(NamedTuple):
    """Crops: waveforms (B, N), and phone, stress, aperture (B, T) at 50 Hz."""

    waveforms: Tensor
    phone: Tensor
    stress: Tensor
    aperture: Tensor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m training train-encoder`."""
    recipes.add_recipe_arguments(parser)
    loop.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Train in the work folder and write encoder.pt; raises CorpusError, CheckpointError."""
    recipe = recipes.load(args.recipe)
    work = recipes.work_folder(args, recipe)
    task = EncoderTask(recipe.encoder, read_split(work / "corpus", "train"))
    files = loop.Files(work / "encoder_training.pt", work / "encoder.jsonl")
    extra = {"network": recipes.to_dict(recipe)["encoder"]}
    loop.fit(task, recipe.encoder.optimiser, files, args, extra)
    finished = averaged(task.model, checkpoint.load(files.checkpoint, "train-encoder"))
    figures = score(finished, read_split(work / "corpus", "val"))
    encoder.save(work / "encoder.pt", finished, {"validation": figures})
    print("  ".join(f"{name} {value:.3f}" for name, value in figures.items()), file=sys.stderr)


def averaged(model: CompactEncoder, state: checkpoint.State) -> CompactEncoder:
    """The encoder with its averaged weights, for use."""
    model.load_state_dict(state["ema"])
    return model.eval()


def read_split(corpus: Path, split: str) -> list[Heard]:
    """A split's clips in memory."""
    heard = []
    for clip in clips.read_clips(corpus, split):
        samples = (clips.read_samples(corpus, clip) * 32767).astype(np.int16)
        phones = clips.read_track(corpus, clip).phones
        labels = frame_labels(phones, len(samples) / SAMPLE_RATE_HZ)
        heard.append(Heard(samples, labels, clip.synthesiser == recordings.SYNTHESISER))
    return heard


class EncoderTask:
    """Random spoiled crops of the corpus, and the losses of all heads on them."""

    def __init__(self, config: EncoderConfig, heard: list[Heard]) -> None:
        self.config = config
        self.model = CompactEncoder(config)
        self.warp = encoder_augment.SpectralWarp(config.mel_bands)
        self.heard = heard
        self.odds = odds(heard, config.recorded_share)

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """One batch's loss."""
        self.model.train()
        batch = self.draw(rng)
        with torch.no_grad():
            waveforms = encoder_augment.spoil(batch.waveforms, rng)
            mel = self.warp(self.model.log_mel.power(waveforms), rng)
        with loop.precision(self.config.optimiser):
            heads = self.model.listen(mel)
        return losses(EncoderHeads(*(head.float() for head in heads)), batch)

    def draw(self, rng: torch.Generator) -> Batch:
        """Crops at random places and speeds; a few say nothing."""
        options = self.config.optimiser
        which = torch.multinomial(self.odds, options.batch, replacement=True, generator=rng)
        speeds = torch.exp(encoder_augment.uniform(rng, options.batch, -0.19, 0.19))
        places = torch.rand(options.batch, generator=rng)
        crops = [
            crop(self.heard[int(i)], options.crop_frames, float(speed), float(place))
            for i, speed, place in zip(which, speeds, places, strict=True)
        ]
        batch = Batch(*(torch.stack(part) for part in zip(*crops, strict=True)))
        return _some_silent(batch, rng)


def odds(heard: list[Heard], recorded_share: float) -> Tensor:
    """How often each clip is drawn from (N,): by its length, recordings up to their share."""
    lengths = torch.tensor([float(len(one.samples)) for one in heard])
    recorded = torch.tensor([one.recorded for one in heard])
    if recorded_share and recorded.any() and not recorded.all():
        lengths[recorded] *= recorded_share / lengths[recorded].sum()
        lengths[~recorded] *= (1.0 - recorded_share) / lengths[~recorded].sum()
    return lengths


def crop(heard: Heard, frames: int, speed: float, place: float) -> tuple[Tensor, ...]:
    """One row of a batch: `speed` raises pitch, formants and tempo together."""
    wanted = frames * SAMPLES_PER_FEATURE
    start = int(place * max(len(heard.samples) - wanted * speed, 0.0))
    piece = heard.samples[start : start + int(wanted * speed) + 2]
    samples = np.interp(np.arange(wanted) * speed, np.arange(len(piece)), piece, right=0.0) / 32768
    seconds = (np.arange(frames) * SAMPLES_PER_FEATURE * speed + start) / SAMPLE_RATE_HZ
    at = np.round(seconds * LABEL_RATE_HZ).astype(int)
    inside = at < len(heard.labels.phone)
    at = np.minimum(at, len(heard.labels.phone) - 1)
    phone = np.where(inside, heard.labels.phone[at], _SIL)
    return (
        torch.from_numpy(samples.astype(np.float32)),
        torch.from_numpy(phone),
        torch.from_numpy((heard.labels.stress[at] & inside).astype(np.float32)),
        torch.from_numpy((heard.labels.aperture[at] * inside).astype(np.float32)),
    )


def _some_silent(batch: Batch, rng: torch.Generator) -> Batch:
    """Turn a few crops into steady sounds of any loudness, or none, labelled as silence."""
    count, samples = batch.waveforms.shape
    silent = encoder_augment.chance(rng, count, _NOTHING_SAID)[:, None]
    loud_db = encoder_augment.uniform(rng, count, -110.0, -5.0)[:, None]
    noise = encoder_augment.steady_sound(torch.Size((count, samples)), rng)
    noise = noise * 10 ** (loud_db / 20)
    spoken = 1 - silent
    return Batch(
        spoken * batch.waveforms + silent * noise,
        (spoken * batch.phone + silent * _SIL).long(),
        spoken * batch.stress,
        spoken * batch.aperture,
    )


def losses(heads: EncoderHeads, batch: Batch) -> loop.Step:
    """Cross-entropies of phones and visemes, smooth L1 of the aperture, and three binary ones."""
    viseme = torch.from_numpy(VISEME_OF_PHONE)[batch.phone]
    voiced = torch.from_numpy(VOICED_PHONE)[batch.phone].float()
    speaking = (batch.phone != _SIL).float()
    parts = {
        "phones": _classes(heads.phones, batch.phone),
        "visemes": _classes(heads.visemes, viseme),
        "aperture": 20.0 * functional.smooth_l1_loss(heads.aperture[..., 0], batch.aperture),
        "voicing": 0.3 * _binary(heads.voicing, voiced),
        "speech": 0.3 * _binary(heads.speech, speaking),
        "stress": 0.2 * _binary(heads.stress, batch.stress),
    }
    right = (heads.visemes.argmax(dim=-1) == viseme).float().mean().item()
    figures = {name: part.item() for name, part in parts.items()}
    total = torch.stack(list(parts.values())).sum()
    return loop.Step(total, figures | {"viseme_right": right})


def _classes(logits: Tensor, label: Tensor) -> Tensor:
    return functional.cross_entropy(logits.transpose(1, 2), label, label_smoothing=0.05)


def _binary(logits: Tensor, label: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits[..., 0], label)


@torch.no_grad()
def score(model: CompactEncoder, heard: list[Heard]) -> dict[str, float]:
    """Share of frames with the right phone and viseme, and the aperture's correlation."""
    right_phone, right_viseme, said, meant = [], [], [], []
    for one in heard:
        waveform = torch.from_numpy(one.samples.astype(np.float32) / 32768)[None]
        heads = model.listen(model.log_mel(waveform))
        at = np.arange(heads.phones.shape[1]) * LABEL_RATE_HZ // encoder.FEATURE_RATE_HZ
        at = np.minimum(at, len(one.labels.phone) - 1)
        phone = one.labels.phone[at]
        right_phone.append(heads.phones[0].argmax(-1).numpy() == phone)
        right_viseme.append(heads.visemes[0].argmax(-1).numpy() == VISEME_OF_PHONE[phone])
        said.append(heads.aperture[0, :, 0].numpy())
        meant.append(one.labels.aperture[at])
    return {
        "phone_accuracy": float(np.concatenate(right_phone).mean()),
        "viseme_accuracy": float(np.concatenate(right_viseme).mean()),
        "aperture_correlation": float(
            np.corrcoef(np.concatenate(said), np.concatenate(meant))[0, 1]
        ),
    }
