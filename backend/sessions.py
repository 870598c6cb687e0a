"""A pack's graphs, open and ready to run: the only place that imports onnxruntime."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from . import features
from .errors import DeviceError, PackError
from .pack import Pack

Floats = npt.NDArray[np.float32]

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "directml": "DmlExecutionProvider",
              "coreml": "CoreMLExecutionProvider", "cpu": "CPUExecutionProvider"}
DEVICES = ("auto", "cpu", "cuda", "coreml", "directml")
# What 'auto' tries. CoreML is left to those who ask: it compiles a graph anew for every length.
_AUTO = {"linux": ("cuda",), "win32": ("cuda", "directml")}
_PACKAGES = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml on Windows",
             "coreml": "onnxruntime on macOS"}
# y = |x|, the smallest graph that shows whether an accelerator starts.
_PROBE = (b"\x08\x08\x12\x00:2\n\x0b\n\x01x\x12\x01y\"\x03Abs\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08"
          b"\x01\x12\x04\n\x02\x08\x01b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04"
          b"\n\x00\x10\x11")
# A graph's inputs, and the output that it must have.
Graph = tuple[list[str], str]
_GRAPHS: Mapping[str, Graph] = {
    "audio_encoder.onnx": (["waveform"], "features"),
    "denoiser.onnx": (["noisy", "features", "style", "step"], "clean"),
    "decoder.onnx": (["latents"], "displacements"),
}
# What packs with emotions have beside them, and what their denoiser hears too.
_EMOTION_ENCODER, _EMOTIONS = "emotion_encoder.onnx", "emotions"
# A second output that an audio encoder may have: the chance (1, frames) that somebody speaks.
_ACTIVITY = "voice_activity"
_MOST_THREADS = 8


@dataclass(frozen=True)
class Device:
    """A device in use: its name in DEVICES and a line on why this one and not another."""

    name: str
    note: str


def choose_device(wanted: str = "auto") -> Device:
    """The device to run on; 'auto' takes the first accelerator that starts, else the CPU. Raises
    DeviceError when a device asked for by name does not start."""
    if wanted not in DEVICES:
        raise DeviceError("device_unknown", f"There is no device '{wanted}'.",
                          f"Choose one of: {', '.join(DEVICES)}.")
    if wanted not in ("auto", "cpu"):
        reason = _why_not(wanted)
        if reason:
            raise DeviceError("device_unavailable", f"The device '{wanted}' cannot be used: "
                              f"{reason}.", "Choose auto or cpu.")
    if wanted != "auto":
        return Device(wanted, f"{wanted}, as asked")
    return _first_that_starts()


def _first_that_starts() -> Device:
    """The first accelerator of this system that works, else the CPU, with the reasons."""
    note = ""
    for name in _AUTO.get(sys.platform, ()):
        reason = _why_not(name)
        if not reason:
            return Device(name, name + note)
        note += f"; not {name}: {reason}"
    return Device("cpu", "cpu" + note)


def versions() -> dict[str, str]:
    """onnxruntime's version and its execution providers, for reports."""
    return {"onnxruntime": str(onnxruntime.__version__),
            "providers": ", ".join(onnxruntime.get_available_providers())}


class Opened(Protocol):
    """A graph that can be run: an onnxruntime.InferenceSession, or what stands in for one."""

    def get_outputs(self) -> list[Any]: ...

    def run(self, wanted: list[str], inputs: dict[str, npt.NDArray[np.generic]]
            ) -> list[Floats]: ...


class Sessions:
    """The graphs of a pack on one device, as functions from arrays to arrays."""

    def __init__(self, pack: Pack, device: Device,
                 instead: Mapping[str, Opened] | None = None) -> None:
        """Open the pack's graphs, or run what stands `instead` of them; raises PackError."""
        self._pack = pack
        self._hop = round(pack.manifest.sample_rate_hz / pack.manifest.features.rate_hz)
        self._feels = pack.manifest.emotion_features is not None
        graphs = _with_emotions(_GRAPHS) if self._feels else _GRAPHS
        self._graphs: Mapping[str, Opened] = instead or {
            name: _open(pack, name, of, device) for name, of in graphs.items()}

    def encode(self, waveform: Floats) -> Floats:
        """Samples (N,) in [-1, 1] -> features (N // hop, F) at the pack's feature rate, those of
        silence where the encoder tells that nobody speaks."""
        heard, activity = self._hear(waveform)
        if activity is None:
            return heard
        rate_hz = self._pack.manifest.features.rate_hz
        return features.resting(heard, activity, self._silence, rate_hz)

    @cached_property
    def _silence(self) -> Floats:
        """What the encoder makes of silence (F,)."""
        return features.middle(self._hear(np.zeros(features.SILENCE_SAMPLES, np.float32))[0])

    def _hear(self, waveform: Floats) -> tuple[Floats, Floats | None]:
        """Features (N // hop, F) and, from encoders that tell it, voice activity (N // hop,)."""
        name, inputs = "audio_encoder.onnx", {"waveform": waveform[None]}
        frames, size = len(waveform) // self._hop, self._pack.manifest.features.size
        given = [entry.name for entry in self._graphs[name].get_outputs()]
        wanted = [entry for entry in ("features", _ACTIVITY) if entry in given]
        heard, *activity = self._run(name, wanted, inputs)
        checked = self._checked(name, heard, (frames, size))
        return checked, self._checked(name, activity[0], (frames,)) if activity else None

    def feel(self, waveform: Floats) -> Floats:
        """Samples (N,) in [-1, 1] -> features of the voice's emotion (N // hop, K), for packs that
        have an emotion encoder; raises PackError for others."""
        given = self._pack.manifest.emotion_features
        if given is None:
            raise _unfit(self._pack, _EMOTION_ENCODER, "this model knows no emotions")
        hop = round(self._pack.manifest.sample_rate_hz / given.rate_hz)
        [felt] = self._run(_EMOTION_ENCODER, ["features"], {"waveform": waveform[None]})
        return self._checked(_EMOTION_ENCODER, felt, (len(waveform) // hop, given.size))

    def denoise(self, noisy: Floats, heard: Floats, style: Floats, step: int) -> Floats:
        """Noisy latents (T, H*C), features (T, F), or (T, F + K) with those of emotion, and a style
        (S,) -> clean latents (T, H*C)."""
        speech = self._pack.manifest.features.size
        felt = {_EMOTIONS: heard[None, :, speech:]} if self._feels else {}
        [clean] = self._run("denoiser.onnx", ["clean"], {
            "noisy": noisy[None], "features": heard[None, :, :speech], "style": style[None],
            "step": np.array([step], dtype=np.int64), **felt})
        return self._checked("denoiser.onnx", clean, noisy.shape)

    def decode(self, latents: Floats) -> Floats:
        """Quantised latents (T, H*C) -> displacements (T, V, 3), metres from rest."""
        [moved] = self._run("decoder.onnx", ["displacements"], {"latents": latents[None]})
        vertices = self._pack.manifest.topology.vertex_count
        return self._checked("decoder.onnx", moved, (len(latents), vertices, 3))

    def _run(self, name: str, wanted: list[str],
             inputs: Mapping[str, npt.NDArray[np.generic]]) -> list[Floats]:
        """Outputs without their batch axis; raises PackError when the graph refuses."""
        try:
            return [output[0] for output in self._graphs[name].run(wanted, dict(inputs))]
        except _ort_errors() as problem:
            raise _unfit(self._pack, name, _first_line(problem)) from problem

    def _checked(self, name: str, array: Floats, shape: tuple[int, ...]) -> Floats:
        """The array if it has the promised shape and only finite values; raises PackError."""
        if array.shape != shape:
            raise _unfit(self._pack, name, f"it gives {array.shape} where {shape} is due")
        if not np.isfinite(array).all():
            raise _unfit(self._pack, name, "it gives values that are not finite")
        return array


def _with_emotions(graphs: Mapping[str, Graph]) -> dict[str, Graph]:
    """The graphs of a pack with emotions."""
    inputs, output = graphs["denoiser.onnx"]
    return {**graphs, "denoiser.onnx": ([*inputs, _EMOTIONS], output),
            _EMOTION_ENCODER: (["waveform"], "features")}


def _open(pack: Pack, name: str, graph: Graph, device: Device) -> onnxruntime.InferenceSession:
    """A session whose inputs and outputs are those of the pack format; raises PackError."""
    try:
        session = onnxruntime.InferenceSession(pack.read(name), _options(device.name),
                                               providers=_with_cpu(device.name))
    except _ort_errors() as problem:
        raise _unfit(pack, name, _first_line(problem)) from problem
    inputs, output = graph
    given = sorted(entry.name for entry in session.get_inputs())
    if given != sorted(inputs) or output not in [entry.name for entry in session.get_outputs()]:
        raise _unfit(pack, name, f"it takes {', '.join(given)} where {', '.join(inputs)} are due")
    return session


def _options(device: str) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = thread_count()
    options.inter_op_num_threads = 1
    # Idle threads must sleep: the worker stays open beside an artist's Blender.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if device == "directml":
        # DirectML does not run with memory patterns on (onnxruntime's DirectML page).
        options.enable_mem_pattern = False
    return options


def thread_count() -> int:
    """Threads to compute with: the processors this process may use, at most eight."""
    allowed = getattr(os, "sched_getaffinity", None)
    return min(len(allowed(0)) if allowed else os.cpu_count() or 1, _MOST_THREADS)


def _why_not(device: str) -> str:
    """Why an accelerator cannot be used, or ''."""
    provider = _PROVIDERS[device]
    if provider not in onnxruntime.get_available_providers():
        return f"the installed onnxruntime is built without it, {_PACKAGES[device]} has it"
    try:
        session = onnxruntime.InferenceSession(_PROBE, _options(device),
                                               providers=_with_cpu(device))
    except _ort_errors() as problem:
        return _first_line(problem)
    # onnxruntime goes on with the CPU, quietly, when a provider's libraries do not load.
    return "" if provider in session.get_providers() else "its driver or libraries do not load"


def _with_cpu(device: str) -> list[str]:
    return list(dict.fromkeys([_PROVIDERS[device], _PROVIDERS["cpu"]]))


def _ort_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its own classes share no base but Exception."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoModel",
             "NotImplemented", "RuntimeException", "EPFail", "NoSuchFile", "EngineError")
    own = tuple(getattr(state, name) for name in names if hasattr(state, name))
    return (*own, RuntimeError, ValueError)


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")


def _unfit(pack: Pack, name: str, why: str) -> PackError:
    return PackError("pack_graph", f"'{name}' of the pack '{pack.path}' does not work: {why}.",
                     "Export the pack again with this release.")
