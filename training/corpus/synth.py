"""Make the studio corpus: synthetic speech and the face motion that speaks it.

Clips are made in batches, each by a fresh process, because the synthesisers carry random state from
one line to the next: so a corpus depends on the recipe and its seed only, whatever the number of
processes, and a stopped run goes on at the batch where it stopped.
"""

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from itertools import count
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training import config as recipes
from training import positive
from training.config import CorpusConfig, Recipe
from training.corpus import casting, clips, layouts, recordings, styles
from training.corpus.clips import Clip, CorpusError
from training.corpus.performance import LipGains, Part, lip_gains, perform

_LONGEST_BATCH_S = 900.0


class Job(NamedTuple):
    """What a process needs to make any clip."""

    corpus: Path
    config: CorpusConfig
    fps: int
    gains: LipGains


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `python -m training synth`."""
    recipes.add_recipe_arguments(parser)
    parser.add_argument("--hours", type=float, help="hours of audio, instead of the recipe's")
    cores = os.cpu_count() or 1
    parser.add_argument("--jobs", type=positive.count("--jobs"), default=cores, help="processes")
    parser.add_argument("--layout", choices=("vocaset", "biwi", "mead"), help="write to --out so")
    parser.add_argument("--out", type=Path, help="with --layout: folder to write")
    parser.add_argument(
        "--recordings",
        type=Path,
        nargs="+",
        default=(),
        help="folders of sounds and a .tsv to join",
    )


def run(args: argparse.Namespace) -> None:
    """Make or complete the corpus in the work folder, or a set in a published layout."""
    recipe = recipes.load(args.recipe)
    work = recipes.work_folder(args, recipe)
    hours = recipe.corpus.hours if args.hours is None else args.hours
    if (args.layout is None) != (args.out is None):
        raise CorpusError("layout_out", "--layout and --out go together", "give both or neither")
    if args.layout:
        seconds, rig = hours * 3600.0, work / "rig.npz"
        made = layouts.make(args.layout, args.out, rig, recipe.corpus, seconds, args.jobs)
        print("\n".join(made))
        return
    _make_corpus(args, recipe, work, hours)


def _make_corpus(args: argparse.Namespace, recipe: Recipe, work: Path, hours: float) -> None:
    started_s = time.monotonic()
    made = synthesise(recipe, work, hours * 3600.0, args.jobs)
    if args.recordings:
        gains = lip_gains(work / "rig.npz")
        real = recordings.join(work / "corpus", args.recordings, recipe.corpus, recipe.fps, gains)
        print("\n".join(recordings.report(*real)))
    total_s = sum(clip.seconds for clip in made)
    took_s = time.monotonic() - started_s
    print(
        f"{len(made)} clips, {total_s / 60:.1f} min of audio in {took_s:.0f} s: {work / 'corpus'}"
    )


def synthesise(recipe: Recipe, work: Path, seconds: float, jobs: int) -> list[Clip]:
    """Make clips until they last `seconds` together; returns all. Raises CorpusError, RigError."""
    for name in recipe.corpus.styles:
        styles.find(name)
    _check_own(work / "corpus")
    job = Job(work / "corpus", recipe.corpus, recipe.fps, lip_gains(work / "rig.npz"))
    made = _open(job)
    total_s = sum(clip.seconds for clip in made)
    with (job.corpus / "clips.jsonl").open("a", encoding="utf-8") as index:
        for batch in _batches(job, len(made), jobs) if total_s < seconds else ():
            made += batch
            index.writelines(clips.line(clip) for clip in batch)
            index.flush()
            total_s += sum(clip.seconds for clip in batch)
            if total_s >= seconds:
                break
    return made


def _check_own(corpus: Path) -> None:
    """Raise CorpusError for another working folder's corpus, which `borrow` has linked."""
    if corpus.is_symlink():
        message = f"{corpus} is a link to {corpus.resolve()}"
        raise CorpusError("corpus_borrowed", message, "choose another --work, or remove the link")


def make_clip(job: Job, number: int) -> Clip:
    """Speak and perform clip `number`, and write its files."""
    rng = np.random.default_rng([job.config.seed, number])
    part = casting.cast(job.config, rng)
    spoken, spans = casting.say(part, rng)
    manner = Part(styles.find(part.style), spans, job.config.gaze)
    weights = perform(spoken.phones, spoken.seconds, job.fps, manner, job.gains, rng)
    name = f"{number:06d}"
    clip = Clip(
        name,
        f"wav/{name}.wav",
        f"tracks/{name}.npz",
        part.split,
        part.style,
        spans[0].emotion,
        part.text,
        part.synthesiser,
        part.voice,
        spoken.seconds,
        part.language,
        spans[0].intensity,
        spans[-1].emotion if len(spans) > 1 else "",
    )
    clips.write_clip(job.corpus, clip, spoken, weights, spans)
    return clip


def _make_batch(job: Job, first: int) -> list[Clip]:
    return [make_clip(job, first + offset) for offset in range(job.config.clips_a_batch)]


def _batches(job: Job, first: int, jobs: int) -> Iterator[list[Clip]]:
    """Endless batches of clips from number `first` on, in order, made by `jobs` processes."""
    # Spawned: a fork would hand on what the synthesisers' libraries remember.
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, maxtasksperchild=1) as pool:
        starts = count(first, job.config.clips_a_batch)
        waiting = [pool.apply_async(_make_batch, (job, next(starts))) for _ in range(jobs + 1)]
        while True:
            yield _result(waiting.pop(0))
            waiting.append(pool.apply_async(_make_batch, (job, next(starts))))


def _result(pending: "AsyncResult[list[Clip]]") -> list[Clip]:
    """A batch when it is ready; a synthesiser that crashes would else leave us waiting for ever."""
    try:
        return pending.get(timeout=_LONGEST_BATCH_S)
    except multiprocessing.TimeoutError as error:
        raise CorpusError(
            "corpus_stuck", "a synthesiser has stopped answering", "run the command again"
        ) from error


def _open(job: Job) -> list[Clip]:
    """Create the folder, or the clips it holds; refuses a corpus of another recipe or rig."""
    for folder in ("wav", "tracks"):
        (job.corpus / folder).mkdir(parents=True, exist_ok=True)
    stamp, mark = job.corpus / "recipe.json", _fingerprint(job)
    if not stamp.exists():
        stamp.write_text(json.dumps(mark, indent=1), encoding="utf-8")
    elif _told(json.loads(stamp.read_text(encoding="utf-8"))) != _told(mark):
        raise CorpusError(
            "corpus_other",
            f"{job.corpus} was made with another recipe or rig",
            "delete that folder, or choose another --work",
        )
    index = job.corpus / "clips.jsonl"
    if not index.exists():
        return []
    # A run that was killed may have left half a line or half a batch: keep whole ones.
    lines = index.read_text(encoding="utf-8").rpartition("\n")[0].splitlines(keepends=True)
    whole = len(lines) - len(lines) % job.config.clips_a_batch
    text = "".join(lines[:whole]).rstrip("\n")
    index.write_text(text + "\n" if text else "", encoding="utf-8")
    return clips.read_index(index)


def _fingerprint(job: Job) -> dict[str, object]:
    """What clips depend on: the recipe less its length, and the rig's lips."""
    mark: dict[str, object] = dataclasses.asdict(job.config)
    rig = hashlib.sha256(job.gains.gains_mm.round(3).tobytes()).hexdigest()[:16]
    return json.loads(json.dumps(mark | {"fps": job.fps, "rig": rig}))  # type: ignore[no-any-return]


def _told(mark: dict[str, object]) -> dict[str, object]:
    """A fingerprint less what is at its default, so that a new option spoils no old corpus."""
    usual = json.loads(json.dumps(dataclasses.asdict(CorpusConfig())))
    return {key: value for key, value in mark.items() if key != "hours" and usual.get(key) != value}
