"""Make the tiny pack that tests run on: real graphs, real files, no training and no torch.

Its "mouth" opens with the loudness of the sound and its "head" sways with the noise, so that a
test can tell sound from silence and one seed from another. With emotions its "brow" rises as the
voice is higher, or as an emotion is wanted. Run as a script it rewrites tests/data/tiny_pack.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from backend import pack

HOP = 320
FEATURES = 2
LATENT_SHAPE = (2, 2)
LATENTS = 4
OPENING_M = 0.02
BROW_M = 0.01
EMOTIONS = ("neutral", "surprised", "angry")
SWAY_M = 0.002

Floats = npt.NDArray[np.float32]
Faces = list[tuple[int, ...]]


def make(folder: Path, vertex_count: int = 42, topology: str = "tiny",
         rest: Floats | None = None, faces: Faces | None = None,
         styles: tuple[str, ...] = ("calm", "lively"), fps: float = 30.0) -> pack.Pack:
    """Write a pack into `folder`. 42 vertices are an icosphere of 10 cm radius; another count is
    points spread over that sphere, unless `rest` (V, 3) metres and `faces` are given."""
    folder.mkdir(parents=True, exist_ok=True)
    ball, triangles = icosphere() if vertex_count == 42 else spread(vertex_count)
    rest = ball if rest is None else np.asarray(rest, dtype=np.float32)
    faces = triangles if faces is None else faces
    for name, graph in graphs(rest, len(styles)).items():
        _save_graph(folder / name, graph)
    np.savez(folder / "codebook.npz", codes=codes())
    np.savez(folder / "reference.npz", **reference(rest))
    return pack.write(folder, manifest(topology, rest, faces, styles, fps))


def manifest(topology: str, rest: Floats, faces: Faces, styles: tuple[str, ...],
             fps: float) -> pack.Manifest:
    """The manifest of a tiny pack, its files not yet measured."""
    return pack.Manifest(
        schema_version=pack.SCHEMA_VERSION, name=f"{topology}-test", method="gldi",
        topology=pack.Topology(topology, len(rest), pack.face_hash(faces)), fps=fps,
        metres_per_unit=1.0, sample_rate_hz=16000, features=pack.Features(50.0, FEATURES),
        latent_shape=LATENT_SHAPE, schedule=pack.NoiseSchedule("cosine", 1000),
        sampler=pack.DefaultSampler("ddim", 4, 0.0), styles=styles, emotions=(),
        training={"recipe": "none: made by hand"}, licence="GPL-3.0-or-later",
        credits=("Soliloquy's tests",))


def graphs(rest: Floats, style_count: int) -> dict[str, onnx.GraphProto]:
    """The three graphs by file name."""
    return {"audio_encoder.onnx": encoder(), "denoiser.onnx": denoiser(style_count),
            "decoder.onnx": decoder(rest)}


def make_emotional(folder: Path) -> pack.Pack:
    """A tiny pack of the other method: two codebooks, an emotion encoder, and prototypes."""
    made = make(folder)
    rest, _ = icosphere()
    for name, graph in {"emotion_encoder.onnx": emotion_encoder(),
                        "denoiser.onnx": emotional_denoiser(len(made.manifest.styles)),
                        "decoder.onnx": decoder(rest, 2 * LATENTS)}.items():
        _save_graph(folder / name, graph)
    np.savez(folder / "codebook.npz", codes=codes(), emotion_codes=codes())
    prototypes = np.array([[[0], [0]], [[0], [2]], [[0], [-1]]], dtype=np.float32)
    np.savez(folder / "emotions.npz", amounts=np.array([0, 1], dtype=np.float32),
             prototypes=prototypes)
    return pack.write(folder, replace(
        made.manifest, method="exptalk", latent_shape=(4, 2), emotions=EMOTIONS,
        emotion_features=pack.Features(50.0, 1)))


def emotion_encoder() -> onnx.GraphProto:
    """waveform (1, N) -> features (1, N // 320, 1): half the mean of the samples in each hop."""
    nodes = [helper.make_node("Unsqueeze", ["waveform", "one"], ["row"]),
             helper.make_node("AveragePool", ["row"], ["mean"], kernel_shape=[HOP], strides=[HOP]),
             helper.make_node("Mul", ["mean", "half"], ["small"]),
             helper.make_node("Transpose", ["small"], ["features"], perm=[0, 2, 1])]
    return helper.make_graph(nodes, "emotion", [_floats("waveform", [1, "samples"])],
                             [_floats("features", [1, "frames", 1])],
                             [_constant("one", np.array([1], dtype=np.int64)),
                              _constant("half", np.array([0.5], dtype=np.float32))])


def emotional_denoiser(style_count: int) -> onnx.GraphProto:
    """The denoiser's clean latents, and after them four more whose first is the emotion feature."""
    graph = denoiser(style_count)
    paint = np.eye(1, LATENTS, dtype=np.float32)
    nodes = [helper.make_node("Slice", ["noisy", "start", "end", "axis"], ["half"]),
             *(_renamed(node, {"noisy": "half", "clean": "spoken"}) for node in graph.node),
             helper.make_node("MatMul", ["emotions", "paint"], ["acted_out"]),
             helper.make_node("Concat", ["spoken", "acted_out"], ["clean"], axis=2)]
    numbers = {"start": 0, "end": LATENTS, "axis": 2}
    inputs = [_floats("noisy", [1, "T", 2 * LATENTS]), *list(graph.input)[1:],
              _floats("emotions", [1, "T", 1])]
    return helper.make_graph(nodes, "emotional", inputs,
                             [_floats("clean", [1, "T", 2 * LATENTS])],
                             [*graph.initializer, _constant("paint", paint),
                              *(_constant(name, np.array([value], dtype=np.int64))
                                for name, value in numbers.items())])


def _renamed(node: onnx.NodeProto, names: dict[str, str]) -> onnx.NodeProto:
    other = onnx.NodeProto()
    other.CopyFrom(node)
    other.input[:] = [names.get(name, name) for name in node.input]
    other.output[:] = [names.get(name, name) for name in node.output]
    return other


def encoder() -> onnx.GraphProto:
    """waveform (1, N) -> features (1, N // 320, 2): mean of |x| and of x * x in each hop."""
    nodes = [
        helper.make_node("Abs", ["waveform"], ["loud"]),
        helper.make_node("Mul", ["waveform", "waveform"], ["power"]),
        helper.make_node("Unsqueeze", ["loud", "one"], ["loud_row"]),
        helper.make_node("Unsqueeze", ["power", "one"], ["power_row"]),
        helper.make_node("Concat", ["loud_row", "power_row"], ["rows"], axis=1),
        helper.make_node("AveragePool", ["rows"], ["pooled"], kernel_shape=[HOP], strides=[HOP]),
        helper.make_node("Transpose", ["pooled"], ["features"], perm=[0, 2, 1]),
    ]
    return helper.make_graph(nodes, "encoder", [_floats("waveform", [1, "samples"])],
                             [_floats("features", [1, "frames", FEATURES])],
                             [_constant("one", np.array([1], dtype=np.int64))])


def denoiser(style_count: int) -> onnx.GraphProto:
    """noisy, features, style, step -> clean: channel 0 from the loudness (and the style, a little),
    channel 1 from the noise."""
    listen = np.zeros((FEATURES, LATENTS), dtype=np.float32)
    listen[0, 0] = 8.0
    keep = np.diag(np.array([0.0, 0.9, 0.0, 0.0], dtype=np.float32))
    manner = np.zeros((style_count, LATENTS), dtype=np.float32)
    manner[:, 2] = np.linspace(0.0, 1.0, style_count)
    nodes = [
        helper.make_node("MatMul", ["features", "listen"], ["heard"]),
        helper.make_node("MatMul", ["noisy", "keep"], ["kept"]),
        helper.make_node("MatMul", ["style", "manner"], ["acted"]),
        helper.make_node("Cast", ["step"], ["time"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["time", "tiny"], ["drift"]),
        helper.make_node("Sum", ["heard", "kept", "acted", "drift"], ["clean"]),
    ]
    inputs = [_floats("noisy", [1, "T", LATENTS]), _floats("features", [1, "T", FEATURES]),
              _floats("style", [1, style_count]),
              helper.make_tensor_value_info("step", TensorProto.INT64, [1])]
    return helper.make_graph(nodes, "denoiser", inputs, [_floats("clean", [1, "T", LATENTS])],
                             [_constant("listen", listen), _constant("keep", keep),
                              _constant("manner", manner),
                              _constant("tiny", np.array([1e-6], dtype=np.float32))])


def decoder(rest: Floats, latents: int = LATENTS) -> onnx.GraphProto:
    """latents (1, T, 4) -> displacements (1, T, V, 3): 0 lowers the lower lip, 1 sways all, 2
    widens the mouth, and where there is a fifth it lifts the brow."""
    moves = np.zeros((latents, len(rest), 3), dtype=np.float32)
    masks = mouth_masks(rest)
    moves[0, masks["mask_lower_lip"], 1] = -OPENING_M
    moves[1, :, 0] = SWAY_M
    moves[2, masks["mask_lips"], 0] = 0.1 * rest[masks["mask_lips"], 0]
    moves[LATENTS:LATENTS + 1, masks["mask_upper_face"], 1] = BROW_M
    nodes = [helper.make_node("MatMul", ["latents", "moves"], ["flat"]),
             helper.make_node("Reshape", ["flat", "shape"], ["displacements"])]
    shape = np.array([1, -1, len(rest), 3], dtype=np.int64)
    return helper.make_graph(nodes, "decoder", [_floats("latents", [1, "T", latents])],
                             [_floats("displacements", [1, "T", len(rest), 3])],
                             [_constant("moves", moves.reshape(latents, -1)),
                              _constant("shape", shape)])


def codes() -> Floats:
    """(121, 2) codes on a grid of -2.5 to 2.5."""
    steps = np.linspace(-2.5, 2.5, 11, dtype=np.float32)
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def reference(rest: Floats) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of reference.npz."""
    masks = mouth_masks(rest)
    upper, lower = (np.flatnonzero(masks[f"mask_{part}_lip"]) for part in ("upper", "lower"))
    count = min(len(upper), len(lower))
    pairs = np.stack([upper[:count], lower[:count]], axis=1).astype(np.int32)
    return {"rest": rest, "mean": np.zeros_like(rest), "lip_pairs": pairs,
            "scale": np.ones(len(rest), dtype=np.float32), **masks}


def mouth_masks(rest: Floats) -> dict[str, npt.NDArray[np.bool_]]:
    """Regions of a sphere that looks along +z, by height."""
    front = rest[:, 2] > 0
    height = rest[:, 1] / np.abs(rest).max()
    upper = front & (height > -0.45) & (height <= -0.1)
    lower = front & (height > -0.8) & (height <= -0.45)
    return {"mask_lips": upper | lower, "mask_upper_lip": upper, "mask_lower_lip": lower,
            "mask_upper_face": front & (height > 0.3), "mask_eyes": front & (height > 0.6),
            "mask_jaw": front & (height <= -0.45)}


def icosphere() -> tuple[Floats, Faces]:
    """42 vertices (V, 3) metres and 80 triangles: an icosahedron with its edges halved."""
    golden = (1 + 5**0.5) / 2
    flat = [(a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    points = [np.roll((0.0, a, b), turn) for turn in range(3) for a, b in flat]
    corners = [(i, j, k) for i in range(12) for j in range(i + 1, 12) for k in range(j + 1, 12)
               if all(np.linalg.norm(points[p] - points[q]) < 2.1
                      for p, q in ((i, j), (j, k), (i, k)))]
    middles: dict[tuple[int, int], int] = {}
    faces: Faces = []
    for face in corners:
        i, j, k = _outward(points, face)
        ij, jk, ki = (_middle(points, middles, p, q) for p, q in ((i, j), (j, k), (k, i)))
        faces += [(i, ij, ki), (j, jk, ij), (k, ki, jk), (ij, jk, ki)]
    ball = np.array(points)
    return (0.1 * ball / np.linalg.norm(ball, axis=1, keepdims=True)).astype(np.float32), faces


def spread(count: int) -> tuple[Floats, Faces]:
    """`count` points on the sphere along a golden spiral, and a strip of triangles."""
    turn = np.arange(count) * np.pi * (3 - 5**0.5)
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    radius = np.sqrt(1 - height**2)
    ball = np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], axis=1)
    return (0.1 * ball).astype(np.float32), [(i, i + 1, i + 2) for i in range(count - 2)]


def _outward(points: list[npt.NDArray[np.float64]],
             face: tuple[int, int, int]) -> tuple[int, int, int]:
    i, j, k = face
    normal = np.cross(points[j] - points[i], points[k] - points[i])
    return (i, j, k) if normal @ points[i] > 0 else (i, k, j)


def _middle(points: list[npt.NDArray[np.float64]], middles: dict[tuple[int, int], int],
            p: int, q: int) -> int:
    edge = (min(p, q), max(p, q))
    if edge not in middles:
        middles[edge] = len(points)
        points.append((points[p] + points[q]) / 2)
    return middles[edge]


def _floats(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _constant(name: str, array: npt.NDArray[np.generic]) -> onnx.TensorProto:
    return numpy_helper.from_array(array, name)


def _save_graph(path: Path, graph: onnx.GraphProto) -> None:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    made = make(Path(__file__).parent / "tiny_pack")
    print(f"{made.path}: {sum(entry.bytes for entry in made.manifest.files.values())} bytes")
