"""Train the compact emotion encoder on acted lines of the corpus: writes emotion_encoder.pt."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from training import checkpoint, emotion_acting, emotion_encoder, encoder_augment, loop
from training import config as recipes
from training.config import EmotionConfig
from training.corpus import clips, emotions, recordings
from training.corpus.emotions import Span
from training.corpus.phones import SILENCE
from training.emotion_colour import Microphones
from training.emotion_encoder import NAMES, EmotionEncoder, EmotionHeads, arousal
from training.encoder import SAMPLES_PER_FEATURE
from training.encoder_sounds import chance, uniform
from training.encoder_training import cut
from training.encoders.interface import FEATURE_RATE_HZ

_IN_PAUSES = 0.1  # what a frame counts in which nobody speaks
_SPOILED = 0.5  # share of crops in noise, rooms, codecs
_ACTING = 1 / 3  # share of the recordings' crops that get an emotion by the rules
_SAME_VOICE = 0.06  # tempo and pitch may change by this much, more would be another emotion...
_OTHER_VOICE = 0.19  # ... but recordings are of few people, who must stand for many


class Acted(NamedTuple):
    """One clip in memory: 16-bit samples (N,) and, at 50 Hz (T,), what its voice acts."""

    samples: npt.NDArray[np.int16]
    emotion: npt.NDArray[np.int64]
    intensity: npt.NDArray[np.float32]
    speaking: npt.NDArray[np.bool_]
    recorded: bool = False


class Batch(NamedTuple):
    """Crops: waveforms (B, N); emotion, intensity, weight (B, T) at 50 Hz; recorded (B,)."""

    waveforms: Tensor
    emotion: Tensor
    intensity: Tensor
    weight: Tensor
    recorded: Tensor


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m training train-emotion`."""
    recipes.add_recipe_arguments(parser)
    loop.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Train in the work folder and write emotion_encoder.pt; raises CorpusError."""
    recipe = recipes.load(args.recipe)
    work = recipes.work_folder(args, recipe)
    task = EmotionTask(recipe.emotion, acted_lines(work / "corpus"))
    files = loop.Files(work / "emotion_training.pt", work / "emotion.jsonl")
    extra = {"network": recipes.to_dict(recipe)["emotion"]}
    loop.fit(task, recipe.emotion.optimiser, files, args, extra)
    task.model.load_state_dict(checkpoint.load(files.checkpoint, "train-emotion")["ema"])
    figures = score(task.model.eval(), read_split(work / "corpus", "val"))
    emotion_encoder.save(work / "emotion_encoder.pt", task.model, {"validation": figures})
    print("  ".join(f"{name} {value:.3f}" for name, value in figures.items()), file=sys.stderr)


def acted_lines(corpus: Path) -> list[Acted]:
    """What there is to train on; raises CorpusError where no line is said in an emotion."""
    lines = read_split(corpus, "train")
    if not any(one.emotion.any() for one in lines):  # neutral is number 0
        raise clips.CorpusError(
            "no_emotions", f"no line in {corpus} is acted", "give its recipe an emotion_share"
        )
    return lines


def read_split(corpus: Path, split: str) -> list[Acted]:
    """A split's acted clips in memory, and its recordings as neutral ones."""
    acted = []
    for clip in clips.read_clips(corpus, split):
        recorded = clip.synthesiser == recordings.SYNTHESISER and not clip.acted
        track = clips.read_track(corpus, clip)
        if recorded and not track.spans:
            track = as_neutral(track, clip.seconds)
        if track.spans:
            read = labelled(clips.read_samples(corpus, clip), track)
            acted.append(read._replace(recorded=recorded))
    return acted


def as_neutral(track: clips.Track, seconds: float) -> clips.Track:
    """A recording's track with the label that nobody gave it.

    What joins the corpus are readings and prompts, in which nobody acts: neutral is what an
    artist expects of them. A recording in which somebody does act must not join.
    """
    return track._replace(spans=[Span(emotions.NEUTRAL, 0, 0.0, seconds)])


def labelled(samples: npt.NDArray[np.float32], track: clips.Track) -> Acted:
    """A clip with its labels at 50 Hz."""
    times_s = (np.arange(len(samples) // SAMPLES_PER_FEATURE) + 0.5) / FEATURE_RATE_HZ
    starts = [span.start_s for span in track.spans]
    which = np.searchsorted(starts, times_s, side="right").clip(1) - 1
    names = np.array([NAMES.index(span.emotion) for span in track.spans])
    amounts = np.array([emotions.AMOUNTS[span.intensity] for span in track.spans], np.float32)
    said = [phone for phone in track.phones if phone.name != SILENCE]
    edges = np.array([[phone.start_s, phone.end_s] for phone in said]).reshape(-1, 2)
    speaking = ((times_s[:, None] >= edges[:, 0]) & (times_s[:, None] < edges[:, 1])).any(axis=1)
    pcm = (samples * 32767).astype(np.int16)
    return Acted(pcm, names[which], amounts[which], speaking)


class EmotionTask:
    """Random crops of acted lines, and the losses of the three heads on them."""

    def __init__(self, config: EmotionConfig, acted: list[Acted]) -> None:
        self.config = config
        self.model = EmotionEncoder(config)
        self.warp = encoder_augment.SpectralWarp(config.mel_bands)
        self.acted = acted
        self.odds = odds(acted, config.recorded_share)
        kinds = [[one.samples for one in acted if one.recorded == kind] for kind in (False, True)]
        self.microphones = Microphones(*kinds)

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """One batch's loss."""
        self.model.train()
        batch = self.draw(rng)
        with torch.no_grad():
            voices = encoder_augment.draw_voices(len(batch.waveforms), rng)
            heard = recorded(batch.waveforms, rng)
            heard = self.microphones(heard, batch.recorded, voices.gain, rng)
            plain = voices._replace(gain=torch.ones_like(voices.gain), blur=0 * voices.blur)
            mel = self.warp.as_voices(self.model.log_mel.power(heard), plain)
            harmonics = self.model.harmonics(heard)
        with loop.precision(self.config.optimiser):
            heads = self.model.judged(mel, harmonics)
        return losses(EmotionHeads(*(head.float() for head in heads)), batch)

    def draw(self, rng: torch.Generator) -> Batch:
        """Crops at random places, each emotion as often as any other, and recordings."""
        options = self.config.optimiser
        which = torch.multinomial(self.odds, options.batch, replacement=True, generator=rng)
        leanings = uniform(rng, options.batch, -1.0, 1.0)
        places = torch.rand(options.batch, generator=rng)
        crops = [
            self._crop(self.acted[int(i)], float(leaning), float(place), rng)
            for i, leaning, place in zip(which, leanings, places, strict=True)
        ]
        return Batch(*(torch.stack(part) for part in zip(*crops, strict=True)))

    def _crop(
        self, one: Acted, leaning: float, place: float, rng: torch.Generator
    ) -> tuple[Tensor, ...]:
        """A row of a batch: a clip as it is, or a recording that acts by the corpus' rules.

        A leaning of -1 is the slowest and lowest that a voice is heard, of 1 the other end.
        """
        frames = self.config.optimiser.crop_frames
        speed = math.exp(leaning * (_OTHER_VOICE if one.recorded else _SAME_VOICE))
        calm = one.recorded and not one.emotion.any()  # others act in the corpus already
        if not (calm and chance(rng, 1, _ACTING)):
            return crop(one, frames, speed, place)
        role = emotion_acting.drawn(rng)
        row = crop(one, frames, speed * emotion_acting.speed(role), place)
        waveform, emotion, intensity, *rest = row
        number = torch.full_like(emotion, NAMES.index(role.emotion))
        amount = torch.full_like(intensity, role.amount)
        return emotion_acting.coloured(waveform, role, rng), number, amount, *rest


def recorded(waveforms: Tensor, rng: torch.Generator) -> Tensor:
    """Waveforms (B, N) at any loudness, some of them spoiled by noise, rooms, codecs."""
    quieter = 10 ** (uniform(rng, len(waveforms), -30, 0)[:, None] / 20)
    heard = waveforms * quieter
    some = chance(rng, len(waveforms), _SPOILED).bool()
    if some.any():
        heard[some] = encoder_augment.spoil(waveforms[some], rng)
    return heard


def odds(acted: list[Acted], recorded_share: float) -> Tensor:
    """How often each clip is drawn from (N,), longer ones oftener.

    Every acted emotion alike; recordings, whatever they are, by their share of all crops.
    """
    seconds = torch.tensor([float(len(one.emotion)) for one in acted])
    recorded = torch.tensor([one.recorded for one in acted])
    kind = torch.tensor([len(NAMES) if one.recorded else int(one.emotion[0]) for one in acted])
    total = torch.zeros(len(NAMES) + 1).index_add(0, kind, seconds)
    emotions_there = int((total[:-1] > 0).sum())
    of_each = torch.where(recorded, recorded_share, (1 - recorded_share) / max(emotions_there, 1))
    return of_each * seconds / total[kind]


def crop(acted: Acted, frames: int, speed: float, place: float) -> tuple[Tensor, ...]:
    """One row of a batch; what lies beyond the clip is silence that counts for nothing."""
    samples, start = cut(acted.samples, frames * SAMPLES_PER_FEATURE, speed, place)
    at = ((np.arange(frames) + 0.5) * speed + start / SAMPLES_PER_FEATURE).astype(int)
    inside = at < len(acted.emotion)
    at = np.minimum(at, len(acted.emotion) - 1)
    weight = np.where(acted.speaking[at], 1.0, _IN_PAUSES) * inside
    return (
        torch.from_numpy(samples),
        torch.from_numpy(acted.emotion[at]),
        torch.from_numpy(acted.intensity[at]),
        torch.from_numpy(weight.astype(np.float32)),
        torch.tensor(acted.recorded),
    )


def losses(heads: EmotionHeads, batch: Batch) -> loop.Step:
    """Cross-entropy of the emotion, smooth L1 of intensity and arousal, where somebody speaks."""
    share = batch.weight / batch.weight.sum().clamp(min=1.0)
    logits = heads.emotions.transpose(1, 2)
    named = functional.cross_entropy(logits, batch.emotion, reduction="none", label_smoothing=0.05)
    awake = arousal(batch.emotion, batch.intensity)
    parts = {
        "emotion": (share * named).sum(),
        "intensity": 5.0 * (share * _distance(heads.intensity, batch.intensity)).sum(),
        "arousal": 5.0 * (share * _distance(heads.arousal, awake)).sum(),
    }
    right = (share * (heads.emotions.argmax(dim=-1) == batch.emotion)).sum() / share.sum()
    figures = {name: part.item() for name, part in parts.items()}
    return loop.Step(torch.stack(list(parts.values())).sum(), {**figures, "right": right.item()})


def _distance(said: Tensor, meant: Tensor) -> Tensor:
    return functional.smooth_l1_loss(said, meant, reduction="none", beta=0.2)


class Judged(NamedTuple):
    """Spoken frames (T,): emotion meant and said, intensity meant and said, arousal said."""

    meant: npt.NDArray[np.int64]
    said: npt.NDArray[np.int64]
    intensity: npt.NDArray[np.float32]
    strength: npt.NDArray[np.float32]
    awake: npt.NDArray[np.float32]


@torch.no_grad()
def judge(model: EmotionEncoder, one: Acted) -> Judged:
    """What the encoder says of a clip where somebody speaks."""
    heads = model.listen(torch.from_numpy(one.samples.astype(np.float32) / 32768)[None])
    said = heads.emotions[0].argmax(dim=-1).numpy()
    strength, awake = heads.intensity[0].numpy(), heads.arousal[0].numpy()
    on = one.speaking
    return Judged(one.emotion[on], said[on], one.intensity[on], strength[on], awake[on])


def joined(judged: Sequence[Judged]) -> Judged:
    """Clips as one."""
    return Judged(*(np.concatenate(part) for part in zip(*judged, strict=True)))


def score(model: EmotionEncoder, acted: Sequence[Acted]) -> dict[str, float]:
    """Over frames in which somebody speaks: accuracy of eight, correlations of the other two."""
    all_of = joined([judge(model, one) for one in acted])
    right = {"emotion accuracy": float((all_of.meant == all_of.said).mean())}
    return right | correlations(all_of)


def correlations(frames: Judged) -> dict[str, float]:
    """Of intensity and of arousal, as meant and as said."""
    awake = arousal(torch.from_numpy(frames.meant), torch.from_numpy(frames.intensity)).numpy()
    return {
        "intensity correlation": _correlation(frames.intensity, frames.strength),
        "arousal correlation": _correlation(awake, frames.awake),
    }


def _correlation(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    return float(np.corrcoef(one, other)[0, 1])
