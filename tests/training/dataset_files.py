"""Small data sets written as they are published, and pickles as Python 2 wrote them."""

import pickle
import struct
from pathlib import Path
from typing import ClassVar

import numpy as np
import soundfile

VERTICES = 7


def tone(seconds: float, rate_hz: int = 22000) -> np.ndarray:
    """An audible 200 Hz tone (N,)."""
    return (0.4 * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def sound(path: Path, seconds: float, rate_hz: int = 22000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(seconds, rate_hz), rate_hz, subtype="PCM_16")


def motion(frames: int, vertices: int = VERTICES, seed: int = 0) -> np.ndarray:
    """Random positions (T, V, 3) float32."""
    return np.random.default_rng(seed).normal(size=(frames, vertices, 3)).astype(np.float32)


def array(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)


def pickled(path: Path, value: object, protocol: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol))


class _Python2Pickler(pickle._Pickler):
    """Writes text as byte strings, arrays' bytes too, in protocol 2."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def _string(self, value):
        raw = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = _string


def pickled_by_python_2(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        _Python2Pickler(file, 2).dump(value)


def pickled_naming_numpy(path: Path, value: object, protocol: int, core: str) -> None:
    """As numpy 1 ("numpy.core") or numpy 2 ("numpy._core") calls its own functions."""

    class Pickler(pickle._Pickler):
        def save_global(self, obj, name=None):
            module = obj.__module__.replace("numpy._core", "numpy.core").replace("numpy.core", core)
            self.write(f"c{module}\n{name or obj.__qualname__}\n".encode())
            self.memoize(obj)

    with open(path, "wb") as file:
        Pickler(file, protocol).dump(value)


def flame_arrays(vertices: int = VERTICES) -> dict[str, np.ndarray]:
    """A made-up model of FLAME's structure: 300 + 100 shapes, five joints."""
    rng = np.random.default_rng(5)
    weights = rng.uniform(size=(vertices, 5))
    regressor = rng.uniform(size=(5, vertices))
    return {
        "v_template": rng.normal(size=(vertices, 3)),
        "shapedirs": rng.normal(size=(vertices, 3, 400)) / 100,
        "posedirs": rng.normal(size=(vertices, 3, 36)) / 100,
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], range(5)], np.uint32),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "f": np.zeros((3, 3), np.uint32),
    }
