"""How long a speech encoder takes over ten seconds in onnxruntime, beside one of HuBERT's size.

HuBERT's weights are random: they take as long as trained ones.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

from benchmarks.passes import PASSES, SECONDS, THREADS, WARM_UP, Figures
from benchmarks.tables import Row, Section
from training import graphs
from training.corpus.speech import SAMPLE_RATE_HZ
from training.encoder import CompactEncoder
from training.encoders import transformers_speech

TIMED = (
    f"{SECONDS:.0f} s of sound, onnxruntime, {THREADS} threads, {PASSES} passes after {WARM_UP} to "
    "warm up; each graph in a process of its own, whose peak memory is given."
)
NOTE = f"{TIMED} HuBERT base has random weights."


def section(network: CompactEncoder, graph: Path | None = None) -> Section:
    """The compact encoder (its own export, or a given graph) and HuBERT base in one run."""
    with tempfile.TemporaryDirectory() as folder:
        compact, hubert = graph or Path(folder) / "compact.onnx", Path(folder) / "hubert.onnx"
        if graph is None:
            export(network, compact)
        parameters = {compact: size(network), hubert: _export_hubert(hubert)}
        figures = {path: timed_apart(path) for path in (compact, hubert)}
        rows = [
            _row(path.stem, count, figures[path], figures[hubert])
            for path, count in parameters.items()
        ]
    return Section("speed", "Speed and size", rows, NOTE)


def _row(name: str, parameters: int, own: Figures, slow: Figures) -> Row:
    """A table's row; `slow` is what the encoder is to be faster than."""
    times = slow["median ms"] / own["median ms"]
    megabytes = 4e-6 * parameters
    return {"encoder": name, "numbers": parameters, "fp32 MB": megabytes, **own, "faster": times}


def size(network: nn.Module) -> int:
    """Numbers that a graph of the network stores: parameters and buffers."""
    return sum(values.numel() for values in (*network.parameters(), *network.buffers()))


def export(network: nn.Module, path: Path) -> None:
    """Write a waveform encoder as a graph."""
    signature = graphs.Signature(
        {"waveform": 0.1 * torch.randn(1, SAMPLE_RATE_HZ)},
        {"waveform": {1: "samples"}, "features": {1: "frames"}},
        ("features",),
    )
    graphs.export(network, signature, path)


def _export_hubert(path: Path) -> int:
    """Write HuBERT base with random weights; its parameters' number."""
    torch.manual_seed(0)
    bare = transformers_speech.build({"model_type": "hubert"})
    transformers_speech.plain_position_weights(bare)
    network = transformers_speech.TransformersEncoder(bare, normalise=False).eval()
    export(network, path)
    return size(network)


def timed_apart(graph: Path) -> Figures:
    """`passes.timed` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.passes", str(graph)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout)
    return figures
