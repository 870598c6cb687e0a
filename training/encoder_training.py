"""Train the compact speech encoder on the studio corpus' speech."""

import argparse
import math
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from training import checkpoint, encoder, encoder_augment, encoder_sounds, loop, processes
from training import config as recipes
from training.config import EncoderConfig
from training.corpus import clips, recordings
from training.corpus.phones import BILABIALS, PHONE_INDEX, PHONES, SILENCE, VISEME_OF
from training.encoder import SAMPLE_RATE_HZ, SAMPLES_PER_FEATURE, CompactEncoder, EncoderHeads
from training.encoder_labels import (
    LABEL_RATE_HZ,
    VISEME_OF_PHONE,
    VOICED_PHONE,
    Labels,
    frame_labels,
)
from training.encoder_sounds import uniform
from training.processes import Processes

_NOTHING_SAID = 0.12  # share of crops in which nobody speaks for a while, half of them throughout
_BREATHS = 0.25  # share of crops in whose pauses somebody breathes
_TWINS = 1 / 6  # share of crops that are heard again in a narrow band
_SIL = PHONE_INDEX[SILENCE]
# Rows of the heads: the phones p b m, and their viseme.
_CLOSING = sorted({PHONE_INDEX[name] for name in BILABIALS}) + sorted(
    {len(PHONES) + VISEME_OF[name] for name in BILABIALS}
)


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
    loop.add_device_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Train in the work folder and write encoder.pt; raises CorpusError, CheckpointError."""
    recipe = recipes.load(args.recipe)
    work = recipes.work_folder(args, recipe)
    here = Processes(device=processes.chosen(args.device))
    task = EncoderTask(recipe.encoder, read_split(work / "corpus", "train"), here.device)
    files = loop.Files(work / "encoder_training.pt", work / "encoder.jsonl")
    extra = {"network": recipes.to_dict(recipe)["encoder"]}
    loop.fit(task, recipe.encoder.optimiser, files, args, extra, here)
    finished = averaged(task.model.cpu(), checkpoint.load(files.checkpoint, "train-encoder"))
    figures = score(finished, read_split(work / "corpus", "val"))
    encoder.save(work / "encoder.pt", finished, {"validation": figures})
    print("  ".join(f"{name} {value:.3f}" for name, value in figures.items()), file=sys.stderr)


def averaged(model: CompactEncoder, state: checkpoint.State) -> CompactEncoder:
    """The encoder with its averaged weights, for use."""
    model.load_state_dict(state["ema"])
    favour_closures(model)
    return model.eval()


@torch.no_grad()
def favour_closures(model: CompactEncoder) -> None:
    """Make p b m likelier: an eye forgives a closed lip too many sooner than one too few."""
    model.heads.bias[_CLOSING] += model.config.closure_bias


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

    def __init__(
        self, config: EncoderConfig, heard: list[Heard], device: torch.device = processes.CPU
    ) -> None:
        self.config, self.device = config, device
        self.model = CompactEncoder(config).to(device)
        self.warp = encoder_augment.SpectralWarp(config.mel_bands, device)
        self.heard = heard
        self.odds = odds(heard, config.recorded_share)

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """One batch's loss; some crops come a second time, as from a file of 8 kHz."""
        self.model.train()
        batch = self.draw(rng)
        twins = torch.arange(math.ceil(_TWINS * len(batch.waveforms)))
        with torch.no_grad():
            waveforms = encoder_augment.spoil(batch.waveforms, rng)
            narrow = encoder_augment.narrow_band(waveforms[twins], rng)
            voices = encoder_augment.draw_voices(len(waveforms), rng)
            rows = torch.cat([torch.arange(len(waveforms)), twins])
            power = self.model.log_mel.power(torch.cat([waveforms, narrow]).to(self.device))
            mel = self.warp.as_voices(power, voices.of(rows).to(self.device))
        with loop.precision(self.config.optimiser, self.device):
            heads = self.model.listen(mel)
        both = EncoderHeads(*(head.float() for head in heads))
        step = losses(both, Batch(*(part[rows].to(self.device) for part in batch)))
        apart = disagreement(both, twins, twins + len(waveforms))
        return loop.Step(step.loss + apart, {**step.figures, "twins": apart.item()})

    def draw(self, rng: torch.Generator) -> Batch:
        """Crops at random places and speeds; in a few, nobody speaks for a while."""
        options = self.config.optimiser
        which = torch.multinomial(self.odds, options.batch, replacement=True, generator=rng)
        speeds = torch.exp(uniform(rng, options.batch, -0.19, 0.19))
        places = torch.rand(options.batch, generator=rng)
        crops = [
            crop(self.heard[int(i)], options.crop_frames, float(speed), float(place))
            for i, speed, place in zip(which, speeds, places, strict=True)
        ]
        batch = Batch(*(torch.stack(part) for part in zip(*crops, strict=True)))
        return some_silent(breathing(batch, rng), rng)


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
    samples, start = cut(heard.samples, frames * SAMPLES_PER_FEATURE, speed, place)
    seconds = (np.arange(frames) * SAMPLES_PER_FEATURE * speed + start) / SAMPLE_RATE_HZ
    at = np.round(seconds * LABEL_RATE_HZ).astype(int)
    inside = at < len(heard.labels.phone)
    at = np.minimum(at, len(heard.labels.phone) - 1)
    phone = np.where(inside, heard.labels.phone[at], _SIL)
    return (
        torch.from_numpy(samples),
        torch.from_numpy(phone),
        torch.from_numpy((heard.labels.stress[at] & inside).astype(np.float32)),
        torch.from_numpy((heard.labels.aperture[at] * inside).astype(np.float32)),
    )


def cut(
    samples: npt.NDArray[np.int16], wanted: int, speed: float, place: float
) -> tuple[npt.NDArray[np.float32], int]:
    """`wanted` samples in [-1, 1] read at a speed, silence after the end; also where they start.

    A place of 0 is the beginning, of 1 the last that fits.
    """
    start = int(place * max(len(samples) - wanted * speed, 0.0))
    piece = samples[start : start + int(wanted * speed) + 2]
    read = np.interp(np.arange(wanted) * speed, np.arange(len(piece)), piece, right=0.0) / 32768
    return read.astype(np.float32), start


def breathing(batch: Batch, rng: torch.Generator) -> Batch:
    """Breaths in the pauses of some crops, 5 to 45 dB below the speech."""
    waveforms = batch.waveforms
    some = encoder_sounds.chance(rng, len(waveforms), _BREATHS)[:, None]
    quieter = 10 ** (-uniform(rng, len(waveforms), 5.0, 45.0)[:, None] / 20)
    level = waveforms.square().mean(dim=1, keepdim=True).sqrt()
    pause = _samples_of((batch.phone == _SIL).float())
    air = encoder_sounds.breath(waveforms.shape, rng)
    return batch._replace(waveforms=waveforms + some * quieter * level * pause * air)


def some_silent(batch: Batch, rng: torch.Generator) -> Batch:
    """Turn parts of a few crops into wordless sounds of any loudness, or none: silence by label."""
    count, samples = batch.waveforms.shape
    frames = batch.phone.shape[1]
    silent = encoder_sounds.chance(rng, count, _NOTHING_SAID)[:, None]
    edges = torch.rand(count, 2, generator=rng) * frames
    throughout = encoder_sounds.chance(rng, count, 0.5)[:, None].bool()
    at = torch.arange(frames)
    between = (at >= edges.amin(dim=1, keepdim=True)) & (at < edges.amax(dim=1, keepdim=True))
    silent = silent * (between | throughout)
    loud_db = uniform(rng, count, -110.0, -5.0)[:, None]
    sound = encoder_sounds.wordless(torch.Size((count, samples)), rng) * 10 ** (loud_db / 20)
    heard = _samples_of(silent)
    return Batch(
        (1 - heard) * batch.waveforms + heard * sound,
        torch.where(silent > 0, _SIL, batch.phone),
        (1 - silent) * batch.stress,
        (1 - silent) * batch.aperture,
    )


def _samples_of(frames: Tensor) -> Tensor:
    """Frames (B, T) at 50 Hz -> samples (B, 320 T) with edges of 20 ms, so that nothing clicks."""
    return functional.interpolate(
        frames[:, None], scale_factor=SAMPLES_PER_FEATURE, mode="linear", align_corners=False
    )[:, 0]


def losses(heads: EncoderHeads, batch: Batch) -> loop.Step:
    """Cross-entropies of phones and visemes, smooth L1 of the aperture, and three binary ones."""
    device = batch.phone.device
    viseme = torch.from_numpy(VISEME_OF_PHONE).to(device)[batch.phone]
    voiced = torch.from_numpy(VOICED_PHONE).to(device)[batch.phone].float()
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


def disagreement(heads: EncoderHeads, some: Tensor, others: Tensor) -> Tensor:
    """How far the visemes' probabilities and the apertures of two sets of rows lie apart.

    The narrow band learns from the wide one, which hears more, and not the other way round.
    """
    visemes = torch.softmax(heads.visemes, dim=-1)
    shapes = (visemes[others] - visemes[some].detach()).abs().sum(dim=-1).mean()
    apertures = (heads.aperture[others] - heads.aperture[some].detach()).abs().mean()
    return 0.5 * shapes + 2.0 * apertures


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
