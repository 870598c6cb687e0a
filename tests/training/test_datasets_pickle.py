import os
import pickle
import sys
import types

import numpy as np
import pytest
import torch

from tests.training.dataset_files import pickled, pickled_by_python_2, pickled_naming_numpy
from training.datasets import restricted_pickle
from training.datasets.errors import DatasetError

FACES = {"F1": np.linspace(-3, 3, 12).reshape(4, 3), "F2": np.ones((4, 3), np.float32)}


class Attack:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_survive_every_protocol(tmp_path, protocol):
    pickled(tmp_path / "templates.pkl", FACES, protocol)
    found = restricted_pickle.arrays_by_name(tmp_path / "templates.pkl")
    assert np.array_equal(found["F1"], FACES["F1"]) and found["F1"].dtype == np.float64
    assert np.array_equal(found["F2"], FACES["F2"]) and found["F2"].dtype == np.float32


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_both_names_of_numpys_modules_are_known(tmp_path, protocol, core):
    value = (FACES["F1"].copy(order="F"), np.float32(2.5))
    pickled_naming_numpy(tmp_path / "a.pkl", value, protocol, core)
    array, number = restricted_pickle.load(tmp_path / "a.pkl")
    assert np.array_equal(array, FACES["F1"]) and number == 2.5


def test_a_pickle_of_python_2_gives_the_same_numbers(tmp_path):
    pickled_by_python_2(tmp_path / "templates.pkl", FACES)
    assert pickle.loads((tmp_path / "templates.pkl").read_bytes(), encoding="latin1").keys() == {
        "F1",
        "F2",
    }
    found = restricted_pickle.arrays_by_name(tmp_path / "templates.pkl")
    assert np.array_equal(found["F1"], FACES["F1"])


def test_nested_dicts_numbers_and_strings_are_read(tmp_path):
    value = {"s": {"sentence01": {"audio": np.arange(3, dtype=np.int16), "sample_rate": 22000}}}
    pickled_by_python_2(tmp_path / "a.pkl", value)
    found = restricted_pickle.load(tmp_path / "a.pkl")["s"]["sentence01"]
    assert found["sample_rate"] == 22000 and found["audio"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("grown", [False, True])
def test_torch_tensors_become_arrays(tmp_path, grown):
    tensor = torch.arange(12.0).reshape(4, 3).requires_grad_(grown)
    pickled(tmp_path / "templates.pkl", {"M003": tensor, "M005": tensor.T}, 4)
    found = restricted_pickle.arrays_by_name(tmp_path / "templates.pkl")
    assert np.array_equal(found["M003"], np.arange(12).reshape(4, 3))
    assert np.array_equal(found["M005"], np.arange(12).reshape(4, 3).T)


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_does_not_run(tmp_path, protocol):
    mark = tmp_path / "ran"
    pickled(tmp_path / "templates.pkl", Attack(os.system, f"touch {mark}"), protocol)
    with pytest.raises(DatasetError, match=r"templates\.pkl: asks for \w+\.system, which was not"):
        restricted_pickle.load(tmp_path / "templates.pkl")
    assert not mark.exists()


@pytest.mark.parametrize("attack", [
    Attack(eval, "1"), Attack(getattr, "x", "upper"), Attack(np.load, "x"), Attack(open, "x"),
    np.array([Attack(eval, "1")], dtype=object), {"F1": [Attack(exec, "1")]},
])  # fmt: skip
def test_no_function_but_the_known_ones_is_found(tmp_path, attack):
    pickled(tmp_path / "a.pkl", attack)
    with pytest.raises(DatasetError, match="asks for"):
        restricted_pickle.load_model(tmp_path / "a.pkl")


def test_a_codec_other_than_latin1_is_refused(tmp_path):
    data = b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R."
    (tmp_path / "a.pkl").write_bytes(data)
    with pytest.raises(DatasetError, match="asks for the encoding 'hex'"):
        restricted_pickle.load(tmp_path / "a.pkl")


@pytest.mark.parametrize("kept", [0, 1, 20, 60, 100])
def test_a_truncated_pickle_is_one_line_that_names_it(tmp_path, kept):
    pickled(tmp_path / "templates.pkl", FACES)
    (tmp_path / "short.pkl").write_bytes((tmp_path / "templates.pkl").read_bytes()[:kept])
    with pytest.raises(DatasetError) as caught:
        restricted_pickle.load(tmp_path / "short.pkl")
    assert "short.pkl: is a damaged pickle" in str(caught.value) and "\n" not in str(caught.value)


def test_noise_is_an_error_whatever_it_is(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(200):
        (tmp_path / "a.pkl").write_bytes(rng.bytes(80))
        with pytest.raises(DatasetError):
            restricted_pickle.load(tmp_path / "a.pkl")


def test_templates_that_are_no_float_arrays_are_refused(tmp_path):
    pickled(tmp_path / "a.pkl", {"F1": "face"})
    with pytest.raises(DatasetError, match="F1 is <U4"):
        restricted_pickle.arrays_by_name(tmp_path / "a.pkl")


def test_chumpy_is_inert_and_known_in_model_files_only(tmp_path, monkeypatch):
    module = types.ModuleType("chumpy.ch")
    module.Ch = type("Ch", (), {"__module__": "chumpy.ch", "__qualname__": "Ch"})
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    monkeypatch.setitem(sys.modules, "chumpy.ch", module)
    value = module.Ch()
    value.x = np.arange(3.0)
    pickled(tmp_path / "a.pkl", value)
    monkeypatch.delitem(sys.modules, "chumpy.ch")
    assert restricted_pickle.load_model(tmp_path / "a.pkl").state["x"].tolist() == [0, 1, 2]
    with pytest.raises(DatasetError, match=r"asks for chumpy\.ch\.Ch"):
        restricted_pickle.load(tmp_path / "a.pkl")


def test_what_is_written_is_protocol_2(tmp_path):
    restricted_pickle.dump(FACES, tmp_path / "a.pkl")
    assert (tmp_path / "a.pkl").read_bytes()[:2] == b"\x80\x02"
