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
    """A graph's named inputs with examples, which of them have dynamic axes, and its output."""

    inputs: dict[str, Tensor]
    dynamic: dict[str, dict[int, str]]
    output: str


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
            output_names=[signature.output],
            dynamic_axes=signature.dynamic,
            opset_version=OPSET,
            dynamo=False,
        )


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Round large weights to what float16 can hold, so that storing them so loses nothing more."""
    for weight in network.parameters():
        if weight.numel() >= HALF_FROM_ELEMENTS:
            weight.copy_(weight.half().float())


def store_half(path: Path) -> None:
    """Store a graph's large float32 tensors as float16 and cast them back as the graph loads."""
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and _size(tensor) >= HALF_FROM_ELEMENTS:
            name = tensor.name
            half = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(half, name + "_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _size(tensor: TensorProto) -> int:
    return int(np.prod(tensor.dims))
