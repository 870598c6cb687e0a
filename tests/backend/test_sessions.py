import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from backend import errors, pack, sessions
from tests.data import make_tiny_pack

CPU = sessions.Device("cpu", "cpu")


def broken(tmp_path, name, change):
    """A tiny pack with one graph changed."""
    made = make_tiny_pack.make(tmp_path / "pack")
    model = onnx.load(made.path / name)
    change(model.graph)
    onnx.save(model, made.path / name)
    return pack.write(made.path, made.manifest)


def rename_input(graph):
    graph.input[0].name = "sound"
    graph.node[0].input[0] = graph.node[1].input[0] = graph.node[1].input[1] = "sound"


def drop_last_node(graph):
    del graph.node[-1]


def test_the_processor_is_always_there():
    assert sessions.choose_device("cpu") == sessions.Device("cpu", "cpu, as asked")


def test_the_note_says_why_an_accelerator_is_not_used(monkeypatch):
    monkeypatch.setattr(sessions.sys, "platform", "win32")
    monkeypatch.setattr(sessions.onnxruntime, "get_available_providers",
                        lambda: ["CPUExecutionProvider"])
    device = sessions.choose_device("auto")
    assert device.name == "cpu"
    assert "not cuda" in device.note and "onnxruntime-gpu" in device.note
    assert "not directml" in device.note


def test_a_device_that_is_listed_but_does_not_start_is_not_used(monkeypatch):
    monkeypatch.setattr(sessions.onnxruntime, "get_available_providers",
                        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(sessions.onnxruntime, "InferenceSession", lambda *a, **k: FakeSession())
    monkeypatch.setattr(sessions.sys, "platform", "linux")
    assert sessions.choose_device("auto") == sessions.Device(
        "cpu", "cpu; not cuda: its driver or libraries do not load")


def test_an_accelerator_that_starts_is_used(monkeypatch):
    monkeypatch.setattr(sessions, "_why_not", lambda name: "")
    monkeypatch.setattr(sessions.sys, "platform", "linux")
    assert sessions.choose_device("auto") == sessions.Device("cuda", "cuda")


class FakeSession:
    """A session that fell back to the CPU."""

    def get_providers(self):
        return ["CPUExecutionProvider"]


@pytest.mark.parametrize(("name", "code"), [("directml", "device_unavailable"),
                                            ("tpu", "device_unknown")])
def test_a_device_asked_for_by_name_that_is_not_there_is_refused(monkeypatch, name, code):
    monkeypatch.setattr(sessions.onnxruntime, "get_available_providers", list)
    with pytest.raises(errors.DeviceError) as caught:
        sessions.choose_device(name)
    assert caught.value.code == code


def test_the_probe_graph_runs():
    assert sessions._why_not("cpu") == ""


def test_the_graphs_give_the_promised_shapes(tiny_pack):
    graphs = sessions.Sessions(pack.load(tiny_pack), CPU)
    heard = graphs.encode(np.full(16000, 0.25, dtype=np.float32))
    np.testing.assert_allclose(heard, np.tile([[0.25, 0.0625]], (50, 1)), rtol=1e-5)
    noisy, style = np.zeros((7, 4), dtype=np.float32), np.array([1, 0], dtype=np.float32)
    clean = graphs.denoise(noisy, heard[:7], style, 0)
    np.testing.assert_allclose(clean[:, 0], 2.0, rtol=1e-5)
    lowest = graphs.decode(clean)[..., 1].min()
    assert lowest == pytest.approx(-0.04, rel=1e-4)


def tell_activity(graph):
    """Loud is speech: the chance is ten times the mean of |x|."""
    graph.initializer.extend([numpy_helper.from_array(np.array(10, np.float32), "ten"),
                              numpy_helper.from_array(np.array([2]), "last")])
    graph.node.extend([helper.make_node("Slice", ["features", "zero_at", "one", "last"],
                                        ["loudness"]),
                       helper.make_node("Squeeze", ["loudness", "last"], ["flat"]),
                       helper.make_node("Mul", ["flat", "ten"], ["voice_activity"])])
    graph.initializer.append(numpy_helper.from_array(np.array([0]), "zero_at"))
    graph.output.append(helper.make_tensor_value_info("voice_activity", TensorProto.FLOAT,
                                                      [1, "frames"]))


def test_a_pack_without_emotions_feels_none(tiny_pack):
    graphs = sessions.Sessions(pack.load(tiny_pack), sessions.choose_device("cpu"))
    with pytest.raises(errors.PackError, match="knows no emotions"):
        graphs.feel(np.zeros(16000, np.float32))


def test_where_nobody_speaks_the_features_are_those_of_silence(tmp_path):
    graphs = sessions.Sessions(broken(tmp_path, "audio_encoder.onnx", tell_activity), CPU)
    loudness = np.repeat(np.array([0.01] * 25 + [0.1] * 25, dtype=np.float32), 320)
    heard = graphs.encode(loudness)[:, 0]
    np.testing.assert_allclose(heard[:20], 0.0, atol=1e-7)
    np.testing.assert_allclose(heard[20:25], 0.01, rtol=1e-5)  # 0.1 s before speech
    np.testing.assert_allclose(heard[25:], 0.1, rtol=1e-5)


@pytest.mark.parametrize(("name", "change", "what"), [
    ("audio_encoder.onnx", rename_input, "takes sound where waveform"),
    ("decoder.onnx", drop_last_node, "'decoder.onnx' of the pack"),
])
def test_a_graph_that_does_not_fit_is_refused_with_its_name(tmp_path, name, change, what):
    found = broken(tmp_path, name, change)
    with pytest.raises(errors.PackError, match=what) as caught:
        sessions.Sessions(found, CPU)
    assert caught.value.code == "pack_graph"


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    made = make_tiny_pack.make(tmp_path / "pack")
    (made.path / "decoder.onnx").write_bytes(b"not a graph")
    with pytest.raises(errors.PackError, match=r"decoder\.onnx"):
        sessions.Sessions(pack.write(made.path, made.manifest), CPU)


def test_a_graph_of_another_size_is_refused_when_it_runs(tmp_path):
    made = make_tiny_pack.make(tmp_path / "pack")
    make_tiny_pack._save_graph(made.path / "decoder.onnx",
                               make_tiny_pack.decoder(make_tiny_pack.spread(40)[0]))
    graphs = sessions.Sessions(pack.write(made.path, made.manifest), CPU)
    with pytest.raises(errors.PackError, match=r"\(3, 40, 3\) where \(3, 42, 3\)"):
        graphs.decode(np.zeros((3, 4), dtype=np.float32))


def test_values_that_are_not_finite_are_refused(tmp_path):
    def divide_by_zero(graph):
        graph.node.append(helper.make_node("Log", ["displacements"], ["log"]))
        graph.node[-2].output[0], graph.node[-1].output[0] = "flat2", "displacements"
        graph.node[-1].input[0] = "flat2"

    graphs = sessions.Sessions(broken(tmp_path, "decoder.onnx", divide_by_zero), CPU)
    with pytest.raises(errors.PackError, match="not finite"):
        graphs.decode(np.zeros((3, 4), dtype=np.float32))
