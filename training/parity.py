"""How far a pack's motion is from that of the networks that it was exported from.

Both go through the same runtime, windows and all; only what runs the networks differs. So a single
code that is chosen otherwise shows.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from backend import audio, motion, pack, pipeline, sessions

from . import config, export, graphs, rig_file
from .rig_file import Array


class TorchGraph(NamedTuple):
    """A torch network where the runtime expects an onnxruntime.InferenceSession."""

    network: torch.nn.Module
    signature: graphs.Signature

    def get_outputs(self) -> list[Any]:
        """The outputs' names, as attributes ``name``."""
        return [SimpleNamespace(name=name) for name in self.signature.outputs]

    @torch.inference_mode()
    def run(self, wanted: list[str], inputs: dict[str, NDArray[np.generic]]) -> list[Array]:
        """The wanted outputs of named inputs."""
        given = self.network(*(torch.from_numpy(inputs[name]) for name in self.signature.inputs))
        outputs = given if isinstance(given, tuple) else (given,)
        named = dict(zip(self.signature.outputs, outputs, strict=True))
        return [named[name].numpy() for name in wanted]


# What nobody sees: half of what compact keys may be off by.
UNSEEN_MM = 0.05


class Difference(NamedTuple):
    """Between two motions: of a vertex in a frame, largest and mean; the share of frames with a
    vertex more than UNSEEN_MM off; the share of codes that are others."""

    largest_mm: float
    mean_mm: float
    frames_apart: float
    codes_unlike: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    parser.add_argument("--pack", required=True, help="the pack that was exported from WORK")
    parser.add_argument("--audio", type=Path, required=True, help="the sound to speak")
    parser.add_argument("--seed", type=int, default=0, help="of the noise (default 0)")


def run(args: argparse.Namespace) -> None:
    """Print the differences of the networks as exported and as trained.

    Raises PackError, AudioError, CheckpointError.
    """
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    rig, opened = rig_file.read(work / "rig.npz"), pack.load(pack.find(args.pack))
    sound = audio.load(args.audio, opened.manifest.sample_rate_hz)
    shown = spoken(opened, sound, args.seed)
    for title, half in (("as trained", False), ("as exported", recipe.export.half_weights)):
        model = export.load(work, recipe, rig)
        found = difference(shown, spoken(opened, sound, args.seed, in_torch(model, half)))
        print(f"{title}: {sound.seconds:.1f} s, largest {found.largest_mm:.4f} mm, "
              f"mean {found.mean_mm:.6f} mm, {found.frames_apart:.2%} of frames differ by more "
              f"than {UNSEEN_MM} mm, {found.codes_unlike:.3%} of codes")  # fmt: skip


def in_torch(model: export.Model, half: bool) -> Mapping[str, TorchGraph]:
    """A model's networks by the names of their graphs, large weights rounded if packs have them so.
    """
    parts = export.signatures(model)
    if half:
        for network, _ in parts.values():
            graphs.round_to_half(network)
    return {name: TorchGraph(network.eval(), of) for name, (network, of) in parts.items()}


def spoken(
    opened: pack.Pack, sound: audio.Sound, seed: int,
    instead: Mapping[str, TorchGraph] | None = None,
) -> motion.Motion:  # fmt: skip
    """A sound's motion by the pack, or by what stands instead of its graphs."""
    device = sessions.choose_device("cpu")
    return pipeline.Generator(opened, device, instead).generate(sound, seed)


def difference(one: motion.Motion, other: motion.Motion) -> Difference:
    """How far two motions of one sound are apart."""
    apart_mm = 1000 * np.linalg.norm(one.displacements - other.displacements, axis=-1)
    assert one.codes is not None and other.codes is not None
    unlike = float((one.codes.numbers != other.codes.numbers).mean())
    apart = float((apart_mm.max(axis=1) > UNSEEN_MM).mean())
    return Difference(float(apart_mm.max()), float(apart_mm.mean()), apart, unlike)
