"""Give a working folder another one's data and networks, for an ablation or a baseline.

The corpus, the rig and the encoders are linked; so is stage 1 where both recipes agree on it.
A command that writes one of these files replaces the link, and `synth` refuses a linked corpus: the
other folder stays as it was.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path

from backend.errors import SoliloquyError

from . import checkpoint, config
from .config import Recipe

DATA = ("rig.npz", "corpus", "encoder.pt", "emotion_encoder.pt")


class BorrowError(SoliloquyError):
    """There is nothing to borrow, or the borrower has its own."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("borrow", message, hint)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    parser.add_argument("--from", dest="lender", type=Path, required=True, metavar="WORK",
                        help="the working folder whose data are used")


def run(args: argparse.Namespace) -> None:
    """Link what the recipe can share; raises BorrowError, CheckpointError."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    work.mkdir(parents=True, exist_ok=True)
    for name in (*DATA, *shared_networks(args.lender, recipe)):
        if (args.lender / name).exists():
            _link(args.lender / name, work / name)
            print(f"{work / name} -> {args.lender / name}")


def shared_networks(lender: Path, recipe: Recipe) -> list[str]:
    """The stage 1 of another folder, if this recipe would train the same, budget and all."""
    path = lender / "stage1.pt"
    if recipe.stage2.space != "latents" or not path.is_file():
        return []
    made_with = config.from_dict(checkpoint.load(path, "train-stage1")["recipe"])
    return ["stage1.pt"] if _first_stage(made_with) == _first_stage(recipe) else []


def _first_stage(recipe: Recipe) -> tuple[object, ...]:
    """What stage 1 is trained by; of ExpTalk's own settings all but those of stage 2."""
    if recipe.method != "exptalk":
        return recipe.method, recipe.stage1
    settings = replace(recipe.exptalk, guided=True, window=0, told_share=0.0)
    return recipe.method, recipe.stage1, settings


def _link(source: Path, target: Path) -> None:
    if target.is_symlink() and target.resolve() == source.resolve():
        return
    try:
        os.symlink(source.resolve(), target, target_is_directory=source.is_dir())
    except FileExistsError as error:
        message = f"{target} is there already"
        raise BorrowError(message, "remove it, or give another --work") from error
    except OSError as error:
        message = f"{target} cannot be made: {error.strerror}"
        raise BorrowError(message, f"copy {source} there yourself") from error
