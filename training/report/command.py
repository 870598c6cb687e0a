"""A pack's evaluation as an HTML page with pictures: strips, heat maps, apertures, tables."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend import audio

from .. import (
    config,
    evaluate,
    evaluate_corpus,
    evaluate_speech,
    lipsync,
    metrics,
    positive,
    rig_file,
)
from ..corpus.speech import SAMPLE_RATE_HZ
from ..evaluate_corpus import Bench, Truth
from ..rig_file import Array, Rig
from ..speaking import PackSpeaker
from . import page, pictures
from .page import Picture, Section

Floats = NDArray[np.float64]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    evaluate.add_corpus_arguments(parser)
    parser.add_argument("--pack", required=True, help="the pack to report on")
    parser.add_argument("--steps", type=positive.count("--steps"),
                        help="DDIM steps (default: the pack's)")
    parser.add_argument("--audio", type=Path, help="real recordings, for the lip-sync section")
    parser.add_argument("--alignments", type=Path, help="their phones, one NAME.json each")
    parser.add_argument("--style", default="", help="style of the real speech")
    parser.add_argument("--shown", type=int, default=2, help="clips drawn as strips and curves")
    parser.add_argument("--out", type=Path, help="folder (default WORK/report)")


class Spoken(NamedTuple):
    """A test clip and the pack's first take of it."""

    truth: Truth
    take: Array


class Subject(NamedTuple):
    """What is reported on: the pack, the drawn face, the bench, and the folder for pictures."""

    speaker: PackSpeaker
    model: pictures.Model
    bench: Bench
    steps: int | None
    out: Path


def run(args: argparse.Namespace) -> None:
    """Write OUT/index.html and its PNGs."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    rig, speaker = rig_file.read(work / "rig.npz"), PackSpeaker(args.pack)
    out = args.out or work / "report"
    out.mkdir(parents=True, exist_ok=True)
    bench = evaluate.bench(args, work, rig, speaker.fps)
    subject = Subject(speaker, model_of(speaker.rest, rig), bench, args.steps, out)
    sections = corpus_sections(subject, args.seeds, args.shown)
    if args.audio and args.alignments:
        sections.append(speech_section(subject, args))
    name = speaker.pack.manifest.name
    page.write(out / "index.html", f"Evaluation of {name}", _note(subject), sections)
    print(out / "index.html")


def _note(subject: Subject) -> str:
    manifest = subject.speaker.pack.manifest
    steps = manifest.sampler.steps if subject.steps is None else subject.steps
    seconds = sum(truth.clip.seconds for truth in subject.bench.truths)
    return (
        f"Pack {subject.speaker.pack.fingerprint[:12]} on {manifest.topology.name} topology, "
        f"{manifest.fps:g} fps, {steps} {manifest.sampler.name.upper()} steps; "
        f"{len(subject.bench.truths)} test clips of the studio corpus, {seconds:.0f} s."
    )


def model_of(rest: Array, rig: Rig) -> pictures.Model:
    """The pack's own rest pose, its portrait held to what the rig moves."""
    shown = rig.masks["mask_upper_face"] | rig.masks["mask_lips"] | rig.masks["mask_jaw"]
    return pictures.Model(rest.astype(np.float64), rig.faces, shown)


def corpus_sections(subject: Subject, seeds: int, shown: int) -> list[Section]:
    """Figures, the papers' tables, heat maps, strips and curves on the test split."""
    speaker, bench = subject.speaker, subject.bench
    figures = evaluate_corpus.generation(speaker, bench, subject.steps, seeds)
    evaluate.write(subject.out / "evaluation.json", evaluate.plain({speaker.pack.manifest.name:
                                                                    figures}))  # fmt: skip
    spoken = [
        Spoken(truth, speaker.speak(truth.samples, truth.clip.style, 0, subject.steps))
        for truth in bench.truths
    ]
    name = speaker.pack.manifest.name
    return [
        Section("Figures on the test split", "Against the corpus' own motion, which rules made: "
                "they tell how well the pack learned, not how lifelike the rules are.",
                page.figure_table(figures)),
        Section("Beside published numbers", "Different data, masks and units: not a ranking.",
                page.published_tables(name, figures)),
        Section("Where the face moves", "Distance from rest over all frames of the test clips: "
                "mean and standard deviation; and the mean error of the first take.",
                pictures=[draw_heat(subject, spoken)]),
        Section("Frames at phones", "A clip's longest phone of each kind.",
                pictures=[draw_strips(subject, clip) for clip in spoken[:shown]]),
        Section("Lip aperture", "Red: p b m; orange: f v; blue: open vowels.",
                pictures=[draw_curves(subject, clip) for clip in spoken[:shown]]),
    ]  # fmt: skip


def draw_heat(subject: Subject, spoken: Sequence[Spoken]) -> Picture:
    """Mean and deviation of truth and take, and the mean error, on the face."""
    pairs = [metrics.compared(clip.take, clip.truth.motion) for clip in spoken]
    truth, take, error = (
        Travel.of([distance_mm(motion) for motion in motions])
        for motions in (
            [pair.truth for pair in pairs],
            [pair.predicted for pair in pairs],
            [pair.predicted - pair.truth for pair in pairs],
        )
    )
    path = subject.out / "heat.png"
    pictures.save_heat(path, subject.model, {
        "mean": {"ground truth": truth.mean, "pack": take.mean, "error": error.mean},
        "standard deviation": {"ground truth": truth.deviation, "pack": take.deviation,
                               "error": error.deviation},
    })  # fmt: skip
    return Picture(path, "Mean and standard deviation of motion, and of the error, mm.")


class Travel(NamedTuple):
    """Mean and standard deviation over frames of each vertex' distance (V,), mm."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, distances: Sequence[Array]) -> "Travel":
        """From clips' distances (T, V), frames pooled."""
        frames = np.concatenate(distances)
        return cls(frames.mean(axis=0, dtype=np.float64), frames.std(axis=0, dtype=np.float64))


def distance_mm(motion: Array) -> Array:
    """How far from rest each vertex is, (T, V) of motion (T, V, 3) in metres."""
    distance: Array = 1e3 * np.linalg.norm(motion, axis=-1)
    return distance


def draw_strips(subject: Subject, clip: Spoken) -> Picture:
    """Truth above, take below, at the clip's telling phones."""
    path = subject.out / f"strip_{clip.truth.clip.id}.png"
    motions = {"ground truth": clip.truth.motion, "pack": clip.take}
    pictures.save_strips(path, subject.model, clip.truth.phones, motions, subject.speaker.fps)
    return Picture(path, _caption(clip))


def draw_curves(subject: Subject, clip: Spoken) -> Picture:
    """Truth's and take's lip aperture over the sound."""
    path = subject.out / f"aperture_{clip.truth.clip.id}.png"
    apertures = {
        "ground truth": _aperture_mm(clip.truth.motion, subject),
        "pack": _aperture_mm(clip.take, subject),
    }
    pictures.save_curves(path, clip.truth.samples, clip.truth.phones, apertures,
                         subject.speaker.fps)  # fmt: skip
    return Picture(path, _caption(clip))


def _caption(clip: Spoken) -> str:
    own = clip.truth.clip
    return f"{own.id}, {own.synthesiser} {own.voice}, style {own.style}: {own.text}"


def _aperture_mm(motion: Array, subject: Subject) -> Array:
    return metrics.aperture_m(motion, subject.bench.lip_pairs) * np.float32(1e3)


def speech_section(subject: Subject, args: argparse.Namespace) -> Section:
    """Lip sync on real recordings: scores, and curves of the first of them."""
    recordings = evaluate_speech.Recordings(
        subject.speaker, args.audio, args.style, args.seeds, args.steps
    )
    clips = evaluate_speech.score_all(recordings, args.alignments, subject.speaker.lip_pairs)
    evaluate.write(subject.out / "lipsync.json", evaluate_speech.plain(clips))
    rows = evaluate_speech.rows(clips)
    cells = [(title, *(f"{row[name]:.3f}" for name in evaluate_speech.SHOWN))
             for title, row in rows.items()]  # fmt: skip
    drawn = [draw_recording(subject, args, clip.name) for clip in clips[: args.shown]]
    return Section(
        "Lip sync on real speech",
        "No face was recorded: the aperture is held against the phones that were spoken. Closure "
        "means nothing but beside its chance level. A voice with several recordings has a row of "
        "its own, because a pack may have been trained on it.",
        page.table(("clip", *evaluate_speech.SHOWN), cells, ours=len(cells) - 1),
        drawn,
    )


def draw_recording(subject: Subject, args: argparse.Namespace, name: str) -> Picture:
    """Takes of a real recording over its sound."""
    sound = audio.load(evaluate_speech.find_recording(args.audio, name), SAMPLE_RATE_HZ)
    takes = {f"take {seed + 1}": _aperture_mm(
        subject.speaker.speak(sound.samples, args.style, seed, args.steps), subject)
        for seed in range(min(args.seeds, 3))}  # fmt: skip
    path = subject.out / f"speech_{name}.png"
    phones = lipsync.read_alignment(args.alignments / f"{name}.json")
    pictures.save_curves(path, sound.samples, phones, takes, subject.speaker.fps)
    return Picture(path, f"{name}: real speech, {sound.seconds:.1f} s")
