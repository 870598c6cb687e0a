"""Measure a model on the corpus' test split, a pack on real speech, or the corpus itself."""

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.errors import SoliloquyError

from . import (
    config,
    evaluate_corpus,
    evaluate_speech,
    evaluate_truth,
    positive,
    rig_file,
    speaking,
    stage1,
)
from .evaluate_corpus import Bench
from .exptalk import acted, forced
from .metrics import Figure
from .spaces import Latents, Space

Rows = Mapping[str, Sequence[Figure]]
SPLITS = ("test", "test-voices", "test-sentences")
SAMPLERS = ("ddpm", "ddim", "dpmpp_2m")


class EvaluationError(SoliloquyError):
    """Options that do not go together."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("evaluate", message, hint)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    add_corpus_arguments(parser)
    parser.add_argument("--steps", type=positive.count("--steps"), nargs="+",
                        help="denoising steps (default: the pack's, or 4 8 12 25 of the networks "
                        "in WORK)")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, help="of the networks in WORK: "
                        "each with each number of steps (default: the recipe's)")
    parser.add_argument("--stage1", action="store_true", help="stage 1 alone, which is all that "
                        "WORK needs to hold then")
    parser.add_argument("--pack", help="measure this pack and not the networks in WORK")
    parser.add_argument("--audio", type=Path, help="real recordings, for the lip-sync report")
    parser.add_argument("--alignments", type=Path, help="their phones, one NAME.json each")
    parser.add_argument("--motions", type=Path, help="score these NAME.npz; --pack gives the lips")
    parser.add_argument("--emotion", nargs="+", default=[], metavar="NAME[:0..1.5][@START-END]",
                        help="on real speech: each emotion forced, with 'all', or one lane")
    parser.add_argument("--acted", action="store_true", help="only emotional clips; a pack that "
                        "knows emotions also with the true one painted over the voice's")
    parser.add_argument("--style", default="", help="style to speak in (default: the first)")
    parser.add_argument("--truth", action="store_true", help="measure the corpus' own motion")
    parser.add_argument("--rig", type=Path, help="play the corpus on this rig, with --truth; tells "
                        "emotions' regions, with --emotion (default WORK/rig.npz)")
    parser.add_argument("--out", type=Path, help="the JSON file (default WORK/evaluation.json, "
                        "lipsync.json, truth.json, emotions.json or acted.json)")


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """What `report` takes as well: how many clips and takes, and the masks."""
    parser.add_argument("--clips", type=positive.count("--clips"), default=12,
                        help="at most this many test clips")
    parser.add_argument("--split", choices=SPLITS, default="test",
                        help="test clips of known voices and sentences, or of unknown ones")
    parser.add_argument("--seeds", type=int, default=3, help="takes of each clip, at least 2")
    for name, default in (("lip", "mask_lips"), ("eye", "mask_upper_face"),
                          ("upper", "mask_upper_face")):  # fmt: skip
        parser.add_argument(f"--{name}-mask", default=default, metavar="MASK",
                            help=f"a rig's mask, LIST.txt, or FILE.npz:NAME+NAME ({default})")


def run(args: argparse.Namespace) -> None:
    """Print a table and write it as JSON."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    _check(args)
    if args.alignments and not args.emotion:
        _report_speech(args, args.out or work / "lipsync.json")
        return
    rows: Rows
    if args.emotion:
        name, rows = "emotions.json", _forced(args, args.rig or work / "rig.npz")
    elif args.acted:
        name, rows = "acted.json", _acted(args, recipe, work)
    elif args.truth:
        rig = args.rig or work / "rig.npz"
        name, rows = "truth.json", evaluate_truth.rows(work, rig, recipe.fps, args.clips)
    else:
        name, rows = "evaluation.json", on_corpus(args, recipe, work)
    write(args.out or work / name, plain(rows))
    print("\n\n".join(map(table, forced.apart(rows))))


def _check(args: argparse.Namespace) -> None:
    if args.alignments and not (args.audio or args.motions):
        raise EvaluationError("--alignments have no speech", "add --audio or --motions")
    if (args.audio or args.motions) and not (args.alignments and args.pack):
        raise EvaluationError("real speech needs both", "give --pack and --alignments")
    if args.emotion and not args.audio:
        raise EvaluationError("--emotion is forced on real speech", "add --audio and --alignments")
    if args.stage1 and (args.pack or args.truth):
        raise EvaluationError("only networks have a stage 1", "leave out --pack and --truth")
    if args.samplers and args.pack:
        raise EvaluationError("a pack has its own sampler", "give --samplers without --pack")
    if args.seeds < 2:
        raise EvaluationError(f"--seeds is {args.seeds}", "takes differ only where there are 2")


def on_corpus(args: argparse.Namespace, recipe: config.Recipe, work: Path) -> Rows:
    """The figures of a pack, or of the networks in WORK at each number of steps."""
    rig = rig_file.read(work / "rig.npz")
    if args.pack:
        pack = speaking.PackSpeaker(args.pack)
        against = bench(args, work, rig, pack.fps, args.acted)
        steps = args.steps or [pack.pack.manifest.sampler.steps]
        return {_title(n): evaluate_corpus.generation(pack, against, n, args.seeds) for n in steps}
    against = bench(args, work, rig, recipe.fps, args.acted)
    if args.stage1:
        return _first_stage(Latents(stage1.load(work, recipe, rig), 1.0), against)
    networks = speaking.networks(work, recipe, rig)
    return {**_first_stage(networks.space, against), **_sampled(networks, against, args)}


def _forced(args: argparse.Namespace, rig: Path) -> Rows:
    """Emotions forced on real speech."""
    steps = args.steps[0] if args.steps else None
    pack = speaking.PackSpeaker(args.pack)
    studio = forced.Studio(with_emotions(pack), args.audio, args.style, args.seeds, steps)
    return forced.rows(studio, args.alignments, rig_file.read(rig), args.emotion)


def _acted(args: argparse.Namespace, recipe: config.Recipe, work: Path) -> Rows:
    """The emotional clips of the split; a pack that knows emotions is told them, too."""
    pack = speaking.PackSpeaker(args.pack) if args.pack else None
    if pack is None or not knows_emotions(pack):
        return on_corpus(args, recipe, work)
    rig = rig_file.read(work / "rig.npz")
    everything = bench(args, work, rig, pack.fps).truths
    against = bench(args, work, rig, pack.fps, acted_only=True)
    steps = args.steps[0] if args.steps else None
    return acted.rows(pack, against, everything, steps, args.seeds)


def knows_emotions(pack: speaking.PackSpeaker) -> bool:
    """Whether the pack hears emotions and can be told them."""
    return pack.pack.manifest.emotion_features is not None


def with_emotions(pack: speaking.PackSpeaker) -> speaking.PackSpeaker:
    """The same pack; raises EvaluationError when it knows no emotions."""
    if not knows_emotions(pack):
        raise EvaluationError(f"{pack.pack.path} knows no emotions", "give a pack of ExpTalk's")
    return pack


def _first_stage(space: Space, against: Bench) -> Rows:
    """What stage 1 alone makes of the truth; a baseline has none."""
    if not isinstance(space, Latents):
        return {}
    return {"quantised truth": evaluate_corpus.reconstruction(space, against)}


def _sampled(networks: speaking.Networks, against: Bench, args: argparse.Namespace) -> Rows:
    """From speech, with every sampler at every number of steps."""
    if not networks.second.model.config.diffusion:
        figures = evaluate_corpus.generation(networks, against, 1, args.seeds)
        return {"from speech, at once": figures}
    rows = {}
    for name in args.samplers or [networks.sampler]:
        speaker = networks._replace(sampler=name)
        prefix = f"{name}, " if args.samplers else ""
        for steps in args.steps or [4, 8, 12, 25]:
            figures = evaluate_corpus.generation(speaker, against, steps, args.seeds)
            rows[f"from speech, {prefix}{steps} steps"] = figures
    return rows


def bench(
    args: argparse.Namespace, work: Path, rig: rig_file.Rig, fps: float, acted_only: bool = False
) -> Bench:
    """The chosen test clips and masks; raises CorpusError, MaskError."""
    where = evaluate_corpus.regions(rig, args.lip_mask, args.eye_mask, args.upper_mask)
    clips = evaluate_corpus.some(work, args.clips, args.split, acted_only)
    truths = [evaluate_corpus.read_truth(work, rig, clip) for clip in clips]
    return Bench(truths, where, rig.lip_pairs, fps)


def _title(steps: int) -> str:
    return f"from speech, {steps} steps"


def _report_speech(args: argparse.Namespace, out: Path) -> None:
    """Score every aligned clip, from sound or from a motion made before."""
    pack = speaking.PackSpeaker(args.pack)
    steps = args.steps[0] if args.steps else None
    source = (evaluate_speech.Recordings(pack, args.audio, args.style, args.seeds, steps)
              if args.audio else evaluate_speech.Motions(args.motions))  # fmt: skip
    clips = evaluate_speech.score_all(source, args.alignments, pack.lip_pairs)
    write(out, evaluate_speech.plain(clips))
    print(evaluate_speech.table(clips))


def plain(rows: Rows) -> dict[str, Any]:
    """Rows as JSON has them: {row: {figure: {value, unit, mask, weight}}}, NaN as null."""
    return {title: {figure.name: _plain(figure) for figure in row} for title, row in rows.items()}


def _plain(figure: Figure) -> dict[str, Any]:
    value = figure.value if math.isfinite(figure.value) else None
    return {"value": value, "unit": figure.unit, "mask": figure.mask, "weight": figure.weight}


def write(path: Path, content: Any) -> None:
    """Write JSON, its folder made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def table(rows: Rows) -> str:
    """Figures as text: one line a figure with unit and mask, one column a row.

    Where each row has a mask of its own, the JSON tells it.
    """
    kinds = {figure.name: figure for row in rows.values() for figure in row}
    masks: dict[str, set[str]] = {}
    for figure in (figure for row in rows.values() for figure in row):
        masks.setdefault(figure.name, set()).add(figure.mask)
    values = [{figure.name: f"{figure.value:.4g}" for figure in row} for row in rows.values()]
    lines = [["", "unit", *rows, "mask"]]
    for name, kind in kinds.items():
        lines.append([name, kind.unit, *(row.get(name, "") for row in values),
                      kind.mask if len(masks[name]) == 1 else "each row's own"])  # fmt: skip
    return "\n".join(columns(lines))


def columns(lines: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lines of cells, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
