"""Published weights on the user's disk: where they are looked for, and how they are read.

Nothing is ever downloaded here: the weights are large and under their own licences.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from .interface import EncoderFileError

Weights = dict[str, Tensor]


class Published(NamedTuple):
    """Weights as their authors publish them: where, which files, under which licence.

    All of ``files`` are needed, and the first of ``weights`` that is there.
    """

    hub_id: str
    files: tuple[str, ...]
    weights: tuple[str, ...]
    licence: str


def find(name: str, published: Published, folder: str) -> Path:
    """The weights' file in ``folder``, or without one in the hub's cache; raises EncoderFileError.

    The other files lie beside it.
    """
    places = [Path(folder).expanduser()] if folder else cached(published.hub_id)
    for place in places:
        if all((place / file).is_file() for file in published.files):
            for weights in published.weights:
                if (place / weights).is_file():
                    return place / weights
    raise _missing(name, published, places or [hub_cache() / _entry(published.hub_id)])


def cached(hub_id: str) -> list[Path]:
    """Folders in the hub's local cache that hold some revision of a model, newest first."""
    snapshots = hub_cache() / _entry(hub_id) / "snapshots"
    found = [path for path in snapshots.glob("*") if path.is_dir()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def hub_cache() -> Path:
    """Where the hub's own programs keep what the user has downloaded with them."""
    named = os.environ.get("HF_HUB_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface") / "hub"


def _entry(hub_id: str) -> str:
    return "models--" + hub_id.replace("/", "--")


def _missing(name: str, published: Published, places: Sequence[Path]) -> EncoderFileError:
    files = " and ".join([*published.files, " or ".join(published.weights)])
    where = ", ".join(str(place) for place in places)
    return EncoderFileError(
        "encoder_weights_missing",
        f"{name} needs {files} of {published.hub_id}; not found in {where}.",
        f"Get it with: hf download {published.hub_id} --local-dir DIR (licence: "
        f'{published.licence}), and put weights = "DIR" into the recipe\'s [speech].',
    )


def read(path: Path) -> Weights:
    """The tensors of a .safetensors, .bin or .pt file, without running code from it.

    Raises EncoderFileError. Fairseq's files keep the tensors one level down, under "model".
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        content = torch.load(path, map_location="cpu", weights_only=True)
        tensors = content.get("model", content)
        return {key: value for key, value in tensors.items() if isinstance(value, Tensor)}
    except Exception as error:  # both libraries raise many unrelated types for a damaged file
        reason = str(error).partition("\n")[0]
        hint = "Download it again; a file that holds more than tensors and plain values is refused."
        message = f"{path} cannot be read: {reason}."
        raise EncoderFileError("encoder_weights_damaged", message, hint) from error


def fill(network: nn.Module, weights: Weights, path: Path, optional: Sequence[str] = ()) -> None:
    """Load a network's weights; others in the file are left. Raises EncoderFileError if any lack
    or have another shape, but for the ``optional``."""
    wanted = network.state_dict()
    lacking = [key for key in wanted if key not in weights and key not in optional]
    if lacking:
        raise _unfit(path, f"it lacks {lacking[0]} and {len(lacking) - 1} more")
    known = {key: value for key, value in weights.items() if key in wanted}
    for key, value in known.items():
        if value.shape != wanted[key].shape:
            shapes = f"{tuple(value.shape)}, not {tuple(wanted[key].shape)}"
            raise _unfit(path, f"its {key} is {shapes}")
    network.load_state_dict(known, strict=False)


def _unfit(path: Path, what: str) -> EncoderFileError:
    hint = "Check that these are the weights of the encoder that the recipe names."
    return EncoderFileError("encoder_weights_unfit", f"{path} does not fit: {what}.", hint)
