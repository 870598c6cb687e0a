"""torch networks as ONNX graphs with dynamic length, optionally with float16 weights on disk."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
# Smaller tensors (biases, norms) stay float32: they weigh nothing and matter most.
HALF_FROM_ELEMENTS = 1024


class Signature(NamedTuple):
    """A graph's named inputs with examples, which names have dynamic axes, and its outputs."""

    inputs: dict[str, Tensor]
    dynamic: dict[str, dict[int, str]]
    outputs: tuple[str, ...]


def export(network: nn.Module, signature: Signature, path: Path) -> None:
    """Write a network as one self-contained ONNX file of standard operators.

    The TorchScript exporter is used: it takes a second where the newer one takes twenty, gives the
    same figures, and needs no extra package.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it announces its successor, and warns of each shape read
        torch.onnx.export(
            network,
            tuple(signature.inputs.values()),
            str(path),
            input_names=list(signature.inputs),
            output_names=list(signature.outputs),
            dynamic_axes=signature.dynamic,
            opset_version=OPSET,
            dynamo=False,
            # Norms are left to the runtime to fold into their convolutions: folded here, weights
            # rounded to float16 would be so no more.
            training=torch.onnx.TrainingMode.PRESERVE,
        )


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Round large weights to what float16 can hold, so that storing them so loses nothing more."""
    for weight in network.parameters():
        if weight.numel() >= HALF_FROM_ELEMENTS:
            weight.copy_(weight.half().float())


def store_half(path: Path) -> None:
    """Store large tensors that float16 holds exactly as such, cast back as the graph loads."""
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALF_FROM_ELEMENTS:
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if np.array_equal(half.astype(np.float32), values):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(half, name + "_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, path)
