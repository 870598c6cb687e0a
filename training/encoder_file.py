"""Files of the encoders that this project trains: settings, weights and figures, no code."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import nn

from training.config import EmotionConfig, EncoderConfig
from training.encoders.interface import EncoderFileError

Network = TypeVar("Network", bound=nn.Module)


class Kind(NamedTuple):
    """What a file holds, as people call it and as the file says, and the command that writes it."""

    name: str
    mark: str
    command: str


def save(
    path: Path, kind: Kind, network: nn.Module, settings: EncoderConfig | EmotionConfig,
    extra: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Write settings, weights and plain extra values (figures) as a weights-only checkpoint."""
    content = {
        "kind": kind.mark,
        "config": dataclasses.asdict(settings),
        "model": network.state_dict(),
        "extra": extra or {},
    }
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def load(path: Path, kind: Kind, build: Callable[[dict[str, Any]], Network]) -> Network:
    """The network built from a file's settings, with its weights, frozen and in evaluation mode.

    Raises EncoderFileError.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        network = build(content["config"])
        network.load_state_dict(content["model"])
    except FileNotFoundError as error:
        message, hint = f"no {kind.name} at {path}", f"run python -m training {kind.command}"
        raise EncoderFileError("encoder_missing", message, hint) from error
    except Exception as error:  # torch raises many kinds for a damaged file
        message = f"{path} holds no compact {kind.name}"
        raise EncoderFileError("encoder_damaged", message, "train it again") from error
    network.eval()
    return network.requires_grad_(False)
