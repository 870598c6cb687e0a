"""The studio corpus in the field's layouts: VOCASET's, BIWI's, 3D-MEAD's, on the rig's topology.

    python -m training synth --layout vocaset --out DIR

Names, subjects, sentences, emotions and splits are the published ones, so that whatever reads
those sets reads this one. Each subject has a voice and a manner of its own and a sentence number
the same words for all subjects: unseen subjects and sentences are unseen here, too.
"""

import dataclasses
import multiprocessing
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from training import rig_file
from training.config import CorpusConfig
from training.corpus import casting, emotions, sentences, styles
from training.corpus.casting import Passage
from training.corpus.clips import CorpusError
from training.corpus.performance import LipGains, Part, lip_gains, perform
from training.corpus.speech import SAMPLE_RATE_HZ
from training.datasets import biwi, mead, vocaset, write
from training.datasets.dataset import Clip
from training.datasets.flat import Layout

# Made by one fresh process: synthesisers' random state runs on inside it.
_BATCH = 16


class Target(NamedTuple):
    """A layout and the ids that its published split expects."""

    layout: Layout
    clips: Sequence[Clip]


class Job(NamedTuple):
    """What a process needs to make any clip."""

    layout: Layout
    folder: Path
    rig: Path
    config: CorpusConfig
    gains: LipGains


def targets() -> Mapping[str, Target]:
    """All layouts by name."""
    return {
        "vocaset": Target(vocaset.LAYOUT, list(vocaset.clips())),
        "biwi": Target(biwi.LAYOUT, list(biwi.clips())),
        "mead": Target(mead.LAYOUT, list(mead.clips("identity"))),
    }


def make(
    name: str, folder: Path, rig: Path, config: CorpusConfig, seconds: float, jobs: int
) -> list[str]:
    """Write clips until they last `seconds` or names run out; returns lines for people.

    Subjects take turns, so that a short corpus has some of everyone. A stopped run goes on where
    it stopped. Raises CorpusError when the rig is of another topology.
    """
    target, faces = targets()[name], rig_file.read(rig)
    expected = {"flame": 5023, "biwi": 23370}[target.layout.topology]
    if len(faces.template) != expected:
        raise CorpusError(
            "layout_rig", f"{rig} has {len(faces.template)} vertices, {name} has {expected}",
            f"give a --work folder whose rig.npz is on {target.layout.topology} topology",
        )  # fmt: skip
    # The rig knows its mesh' own unit; the layout knows only the field's usual one.
    layout = dataclasses.replace(target.layout, metres_per_unit=faces.metres_per_unit)
    job = Job(layout, folder, rig, config, lip_gains(rig))
    subjects = dict.fromkeys(clip.subject for clip in target.clips)
    write.templates(layout, folder, {subject: faces.rest for subject in subjects})
    made_s, count = 0.0, 0
    for batch_s in _batches(job, in_turns(target.clips), jobs):
        made_s, count = made_s + sum(batch_s), count + len(batch_s)
        if made_s >= seconds:
            break
    lines = [f"{count} of {len(target.clips)} clips, {made_s / 60:.1f} min: {folder}"]
    if made_s < seconds:
        lines.append(f"{name} has names for no more: synth without --layout has no such end")
    return lines


def in_turns(clips: Sequence[Clip]) -> list[Clip]:
    """The clips, one of each subject after another."""
    queues: dict[str, list[Clip]] = {}
    for clip in clips:
        queues.setdefault(clip.subject, []).append(clip)
    longest = max(map(len, queues.values()))
    return [own[turn] for turn in range(longest) for own in queues.values() if turn < len(own)]


def _batches(job: Job, clips: Sequence[Clip], jobs: int) -> Iterator[list[float]]:
    """Seconds of the clips of each batch, made by fresh processes, in order."""
    parts = iter([clips[first : first + _BATCH] for first in range(0, len(clips), _BATCH)])
    context = multiprocessing.get_context("spawn")
    pool = context.Pool(jobs, maxtasksperchild=1)
    try:
        waiting = [pool.apply_async(_make_batch, (job, part)) for part in islice(parts, jobs)]
        while waiting:
            yield waiting.pop(0).get()
            waiting += [pool.apply_async(_make_batch, (job, part)) for part in islice(parts, 1)]
    finally:
        # What is begun is finished: no half-written file is left.
        pool.close()
        pool.join()


def _make_batch(job: Job, own: Sequence[Clip]) -> list[float]:
    rig = rig_file.read(job.rig)
    return [_make_clip(job, rig, clip) for clip in own]


def _make_clip(job: Job, rig: rig_file.Rig, clip: Clip) -> float:
    """Speak, perform and write one clip; returns its seconds."""
    part = cast_as(clip, job.config)
    rng = np.random.default_rng([job.config.seed, zlib.crc32(clip.id.encode())])
    spoken, spans = casting.say(part, rng)
    # Its sound is what of a clip is written last.
    wav = job.folder / "wav" / f"{clip.id}.wav"
    if not wav.exists() or soundfile.info(wav).frames != len(spoken.samples):
        manner = Part(styles.of_subject(clip.subject), spans, job.config.gaze)
        fps = job.layout.fps
        weights = perform(spoken.phones, spoken.seconds, fps, manner, job.gains, rng)
        positions = rig.template + rig.displacements(weights)
        take = write.Take(clip.id, positions, fps, spoken.samples, SAMPLE_RATE_HZ)
        write.clip(job.layout, job.folder, take)
    return spoken.seconds


def cast_as(clip: Clip, config: CorpusConfig) -> casting.Part:
    """A published clip's instructions: the subject's voice, the sentence's words, its emotion."""
    person = np.random.default_rng([config.seed, zlib.crc32(clip.subject.encode())])
    part = casting.cast(dataclasses.replace(config, foreign_share=0.0, emotion_share=0.0), person)
    words = f"{clip.sentence} {clip.emotion}"
    line = sentences.english_line(np.random.default_rng([config.seed, zlib.crc32(words.encode())]))
    # BIWI's sentences are acted, but nobody says in which emotion: any will do.
    feeling, intensity = clip.emotion, clip.intensity
    if feeling not in emotions.EMOTIONS:
        draw = np.random.default_rng([config.seed, zlib.crc32(clip.id.encode()), 1])
        feeling, intensity = str(draw.choice(list(emotions.EMOTIONS)[1:])), int(draw.integers(1, 4))
    return dataclasses.replace(
        part, passages=(Passage(line, feeling, intensity),), style=clip.subject
    )
