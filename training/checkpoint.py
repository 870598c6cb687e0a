"""Checkpoints: one file each, written whole or not at all, loaded without running code."""

import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from backend.errors import SoliloquyError

State = dict[str, Any]


class CheckpointError(SoliloquyError):
    """A checkpoint is missing, damaged, or of another recipe."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("checkpoint", message, hint)


def save(path: Path, state: State) -> None:
    """Write tensors and plain values so that a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    torch.save(state, part)
    os.replace(part, path)


def load(path: Path, made_by: str) -> State:
    """Read a checkpoint that the command ``made_by`` writes; raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist", f"run: python -m training {made_by}")
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many unrelated types for a damaged file
        raise CheckpointError(f"{path} cannot be read", f"delete it and run {made_by}") from error
    return state


def identity(section: Any, free: Iterable[str], younger: Iterable[str]) -> State:
    """The settings of a recipe's section that a checkpoint's tensors depend on: all but ``free``.

    Settings ``younger`` than some checkpoints are named only where they are not the default, so
    that those checkpoints still fit.
    """
    shaping = dataclasses.asdict(section)
    defaults = {name for name in younger if shaping[name] == getattr(type(section), name)}
    return {name: value for name, value in shaping.items() if name not in {*free, *defaults}}


def check_same(state: State, expected: Mapping[str, Any], path: Path) -> None:
    """Refuse to continue a checkpoint whose ``network`` settings differ; raises CheckpointError."""
    if state.get("network") != expected["network"]:
        message = f"{path} was trained with other network settings than the recipe's"
        raise CheckpointError(message, "give --restart to replace it, or another --work folder")
