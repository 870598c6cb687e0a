"""Export a trained model as a pack; refuses when onnxruntime and torch differ."""

import argparse
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime  # type: ignore[import-untyped,unused-ignore]
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backend import pack
from backend.errors import SoliloquyError

from . import config, graphs, listening, rig_file, stage1, stage2
from .config import Recipe
from .encoder import CompactEncoder
from .encoders.interface import SpeechEncoder
from .exptalk import packing
from .exptalk.packing import Feeling
from .exptalk.rad import Rad
from .rig_file import Array, Rig

SAMPLES_TRIED = (16000, 16000 * 3 + 123, 16000 * 7)
FRAMES_TRIED = (2, 31, 150, 600)
TOLERANCE = 1e-4
BLINKS = ("eyeBlink_L", "eyeBlink_R")


class ExportError(SoliloquyError):
    """What is to be exported does not fit together, or the graphs do not do what torch does."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("export", message, hint)


class DecoderGraph(nn.Module):
    """Latents (1, T, H * C) of unit variance -> displacements (1, T, V, 3), metres."""

    def __init__(self, first: stage1.Trained, latent_scale: float) -> None:
        super().__init__()
        self.model, self.latent_scale = first.model, latent_scale
        self.scale = first.normaliser.scale
        self.register_buffer("mean", torch.from_numpy(first.normaliser.mean))
        self.mean: Tensor

    def forward(self, latents: Tensor) -> Tensor:
        return self.model.decode(latents * self.latent_scale) * self.scale + self.mean


class EncoderGraph(nn.Module):
    """Waveform (1, N) -> features (1, S, F) and, where the encoder tells it, voice activity."""

    def __init__(self, encoder: SpeechEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, waveform: Tensor) -> tuple[Tensor, ...]:
        heard = self.encoder.hear(waveform)
        return tuple(part for part in heard if part is not None)


class Model(NamedTuple):
    """The trained networks of a pack, ready to export."""

    encoder: SpeechEncoder
    second: stage2.Trained
    decoder: DecoderGraph
    codes: Array  # (N, C), divided by the latent scale
    feeling: Feeling | None  # of ExpTalk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    # Required: a template of FLAME's is licensed, and the pack must not carry it away unasked.
    parser.add_argument("--reference", type=Path, required=True,
                        help="npz with the rest pose that the pack shows, (V, 3); see correspond")
    parser.add_argument("--out", type=Path, required=True, help="the pack's folder")


def run(args: argparse.Namespace) -> None:
    """Write the pack of WORK's networks to ``--out``."""
    check_place(args.out)
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    rig = rig_file.read(work / "rig.npz")
    rest = _read_rest(args.reference, rig)
    written = write(load(work, recipe, rig), recipe, rig, rest, args.out)
    total = sum(entry.bytes for entry in written.manifest.files.values())
    print(f"{args.out}: {total / 1e6:.1f} MB")


def check_place(out: Path) -> None:
    """Refuse to replace what is no pack; raises ExportError."""
    if out.name in ("", ".."):
        raise ExportError(f"--out {out} has no name", "give the pack's folder by its name")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise ExportError(f"{out} is a file or a link", "give --out a new folder")
    if out.is_dir() and any(out.iterdir()) and not (out / pack.MANIFEST).is_file():
        raise ExportError(f"{out} holds files and no pack", "give --out a new folder")


def load(work: Path, recipe: Recipe, rig: Rig) -> Model:
    """The networks of a working folder.

    Raises ExportError, CheckpointError, EncoderFileError, CorpusError.
    """
    if recipe.stage2.space != "latents":
        message = f"{recipe.name} predicts {recipe.stage2.space}, packs hold latents"
        raise ExportError(message, "measure it with: python -m training evaluate")
    first, second = stage1.load(work, recipe, rig), stage2.load(work, recipe)
    codes: Array = first.model.quantizer.codes.detach().numpy() / np.float32(second.scale)
    heard = listening.ears(work, recipe)[0]
    felt = packing.feeling(work, recipe) if recipe.method == "exptalk" else None
    return Model(heard, second, DecoderGraph(first, second.scale).eval(), codes, felt)


def write(model: Model, recipe: Recipe, rig: Rig, rest: Array, out: Path) -> pack.Pack:
    """Write graphs, codebook, reference and manifest into ``out``; raises ExportError, PackError.

    An old pack in ``out`` is replaced, but only once the new one is whole.
    """
    check_place(out)
    draft = out.with_name(out.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    if recipe.export.half_weights:
        for network, _ in signatures(model).values():
            graphs.round_to_half(network)
    _write_graphs(model, recipe, draft)
    check_parity(model, draft)
    np.savez(draft / "codebook.npz", **packing.books(model.codes, recipe))
    if model.feeling:
        packing.save(model.feeling, draft)
    np.savez(draft / "reference.npz", **reference(rig, rest, model.decoder))
    pack.write(draft, manifest(model, recipe, rig))
    shutil.rmtree(out, ignore_errors=True)
    draft.rename(out)
    return pack.load(out)


def _write_graphs(model: Model, recipe: Recipe, folder: Path) -> None:
    for name, (network, signature) in signatures(model).items():
        graphs.export(network, signature, folder / name)
        if recipe.export.half_weights:
            graphs.store_half(folder / name)


def signatures(model: Model) -> dict[str, tuple[nn.Module, graphs.Signature]]:
    """Each graph's file name, network, and named inputs and output as the pack format has them."""
    second = model.second
    size = second.model.output.out_features
    frames, time = torch.zeros(1, 40, size), {1: "T"}
    heard, style = torch.zeros(1, 40, second.sizes.speech), torch.zeros(1, second.sizes.styles)
    step = torch.zeros(1, dtype=torch.int64)
    denoise = graphs.Signature(
        {"noisy": frames, "features": heard, "style": style, "step": step},
        {"noisy": time, "features": time, "clean": time},
        ("clean",),
    )
    decode = graphs.Signature(
        {"latents": frames}, {"latents": time, "displacements": time}, ("displacements",)
    )
    found: dict[str, tuple[nn.Module, graphs.Signature]] = {
        "audio_encoder.onnx": _listening(model.encoder),
        "denoiser.onnx": (second.model, denoise),
        "decoder.onnx": (model.decoder, decode),
    }
    if model.feeling and isinstance(second.model, Rad):
        found["emotion_encoder.onnx"] = _listening(model.feeling.encoder)
        with_emotions = packing.with_emotions(denoise, second.sizes.emotion)
        found["denoiser.onnx"] = (packing.RadGraph(second.model), with_emotions)
    return found


def _listening(encoder: SpeechEncoder) -> tuple[nn.Module, graphs.Signature]:
    told = ("features", "voice_activity") if encoder.tells_voice_activity else ("features",)
    signature = graphs.Signature(
        {"waveform": torch.zeros(1, SAMPLES_TRIED[0])},
        {"waveform": {1: "samples"}, **{name: {1: "frames"} for name in told}},
        told,
    )
    return EncoderGraph(encoder), signature


def check_parity(model: Model, folder: Path) -> None:
    """Run torch and onnxruntime on the same inputs of several lengths; raises ExportError."""
    for name, (network, signature) in signatures(model).items():
        session = onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
        for length in SAMPLES_TRIED if "waveform" in signature.inputs else FRAMES_TRIED:
            inputs = _random_inputs(signature, length)
            with torch.inference_mode():
                expected = network(*inputs.values())
            given = session.run(None, {key: value.numpy() for key, value in inputs.items()})
            parts = expected if isinstance(expected, tuple) else (expected,)
            for one, other in zip(parts, given, strict=True):
                _compare(name, length, one.numpy(), other)


def _random_inputs(signature: graphs.Signature, length: int) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(length)
    inputs = {}
    for name, example in signature.inputs.items():
        shape = list(example.shape)
        for axis in signature.dynamic.get(name, {}):
            shape[axis] = length
        drawn = torch.randn(shape, generator=rng) * (0.1 if name == "waveform" else 1.0)
        inputs[name] = drawn if example.dtype == torch.float32 else torch.full(shape, 500)
    return inputs


def _compare(name: str, length: int, expected: Array, given: Array) -> None:
    if expected.shape != given.shape:
        message = f"{name} gives {given.shape} at length {length}, torch {expected.shape}"
        raise ExportError(message, "this is a fault of the exporter")
    error = float(np.abs(expected - given).max())
    if not error <= TOLERANCE:
        message = f"{name} differs from torch by {error:.2g} at length {length}"
        raise ExportError(message, f"at most {TOLERANCE} is allowed; try half_weights = false")


def reference(rig: Rig, rest: Array, decoder: DecoderGraph) -> dict[str, NDArray[np.generic]]:
    """What reference.npz holds, in the topology's vertex order."""
    scale = np.full(len(rest), decoder.scale, dtype=np.float32)
    mean = decoder.mean.numpy()
    arrays = {"rest": rest, "mean": mean, "scale": scale, "lip_pairs": rig.lip_pairs, **rig.masks}
    return arrays | ({"blink": _blink(rig)} if set(BLINKS) <= set(rig.names) else {})


def _blink(rig: Rig) -> Array:
    """What shutting both eyes adds to the rest pose (V, 3), metres: for blinks of the artist's."""
    both = [rig.names.index(name) for name in BLINKS]
    return np.asarray(rig.fields[both].sum(axis=0), np.float32)


def manifest(model: Model, recipe: Recipe, rig: Rig) -> pack.Manifest:
    """The pack's manifest, its files not yet measured."""
    return pack.Manifest(
        schema_version=pack.SCHEMA_VERSION,
        name=recipe.name,
        method=recipe.method,
        topology=pack.Topology(recipe.topology, len(rig.template), pack.face_hash(rig.faces)),
        fps=float(recipe.fps),
        metres_per_unit=1.0,
        sample_rate_hz=recipe.sample_rate_hz,
        features=pack.Features(float(model.encoder.rate_hz), model.second.sizes.speech),
        latent_shape=model.decoder.model.shape,
        schedule=pack.NoiseSchedule("cosine", recipe.stage2.diffusion_steps),
        sampler=pack.DefaultSampler(recipe.export.sampler, recipe.export.sampler_steps, 0.0),
        styles=model.second.styles,
        emotions=model.feeling.prototypes.names if model.feeling else (),
        training=_published(_as_heard(recipe, model.encoder)),
        licence=recipe.export.licence,
        credits=recipe.export.credits,
        emotion_features=_felt(model.feeling),
    )


def _felt(feeling: Feeling | None) -> pack.Features | None:
    if feeling is None:
        return None
    return pack.Features(float(feeling.encoder.rate_hz), feeling.encoder.size)


def _as_heard(recipe: Recipe, heard: SpeechEncoder) -> Recipe:
    """The recipe with the settings that the compact encoder was really trained with."""
    if not isinstance(heard, CompactEncoder):
        return recipe
    return dataclasses.replace(recipe, encoder=heard.config)


def _published(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON gives it back (tuples become lists), without this machine's folders."""
    plain: dict[str, Any] = json.loads(json.dumps(config.to_dict(recipe)))
    plain["speech"]["weights"] = plain["exptalk"]["emotion_weights"] = ""
    return plain


def _read_rest(path: Path, rig: Rig) -> Array:
    try:
        with np.load(path, allow_pickle=False) as data:
            rest: Array = data["rest"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ExportError(f"{path} holds no rest pose: {error}", "make it again") from error
    if rest.shape != rig.template.shape:
        message = f"{path} has a rest pose {rest.shape}, the rig {rig.template.shape}"
        raise ExportError(message, "make it again with this rig")
    return rest
