"""The pickles that data sets are published in, read without running what they ask for.

A pickle names Python functions that its reader calls. Here only these are known, and most are
stand-ins of our own: numpy arrays, data types and scalars (as numpy 1 and 2 write them), torch
tensors, and plain containers. FLAME's model files may also hold chumpy and scipy.sparse objects,
which become inert records. Any other name is refused before anything happens.
"""

import collections
import io
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DatasetError

_DTYPE = re.compile(r"[<>|=]?[biufcSUVO]\d*")


class Record:
    """An object of a class that is not loaded: its name and the state that was pickled."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ChumpyRecord(Record):
    """Some chumpy object of a FLAME model file."""


class SparseRecord(Record):
    """A scipy sparse matrix of a FLAME model file."""


class _RefusedError(Exception):
    """The pickle names something that is not known here."""


def load(path: Path) -> Any:
    """What a pickle of arrays, containers, strings and numbers holds; raises DatasetError."""
    return _load(path, _Unpickler)


def load_model(path: Path) -> Any:
    """As `load`, for FLAME's model files: chumpy and sparse objects become records."""
    return _load(path, _ModelUnpickler)


def arrays_by_name(path: Path) -> dict[str, npt.NDArray[np.floating[Any]]]:
    """A pickled dict of float arrays by name, such as templates.pkl; raises DatasetError."""
    found = load(path)
    if not isinstance(found, dict):
        raise DatasetError(path, f"holds a {type(found).__name__}, not arrays by name")
    arrays = {str(name): np.asarray(value) for name, value in found.items()}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise DatasetError(path, f"{name} is {array.dtype}, not an array of floats")
    return arrays


def dump(value: Any, path: Path) -> None:
    """Write a pickle as the data sets are published: protocol 2, which Python 2 reads too."""
    with open(path, "wb") as file:
        pickle.dump(value, file, protocol=2)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise _RefusedError(f"{module}.{name}")
        return known


class _ModelUnpickler(_Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "chumpy":
            return ChumpyRecord
        if module.startswith("scipy.sparse") and re.fullmatch(r"cs[cr]_(matrix|array)", name):
            return SparseRecord
        return super().find_class(module, name)


def _load(path: Path, unpickler: type[_Unpickler]) -> Any:
    try:
        with open(path, "rb") as file:
            return unpickler(file, encoding="latin1").load()
    except FileNotFoundError as error:
        raise DatasetError(path, "does not exist") from error
    except _RefusedError as error:
        hint = "Data files hold arrays only; do not trust this one."
        raise DatasetError(path, f"asks for {error}, which was not run", hint) from error
    except Exception as error:  # a damaged pickle can raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        hint = "Copy or download it again."
        raise DatasetError(path, f"is a damaged pickle ({reason})", hint) from error


def _array(subtype: Any, _shape: Any, _typecode: Any) -> npt.NDArray[Any]:
    """An empty array, whose state (shape, type, bytes) the pickle sets next."""
    if subtype is not np.ndarray:
        raise _RefusedError(f"an array of class {subtype}")
    return np.empty(0, np.int8)


def _dtype(spec: Any, *_flags: Any) -> np.dtype[Any]:
    """A plain data type, a copy because the pickle sets its byte order next."""
    if not isinstance(spec, str) or not _DTYPE.fullmatch(spec):
        raise _RefusedError(f"the data type {spec!r}")
    return np.dtype(spec, False, True)


def _scalar(dtype: np.dtype[Any], data: Any) -> Any:
    """One number; Python 2 wrote its bytes as text."""
    raw = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(raw, dtype, count=1)[0]


def _from_buffer(data: Any, dtype: np.dtype[Any], shape: Any, order: str) -> npt.NDArray[Any]:
    """An array as protocol 5 writes it."""
    return np.frombuffer(data, dtype).reshape(shape, order="F" if order == "F" else "C")


def _bytes(text: str, encoding: str) -> bytes:
    """Bytes as Python 3 writes them in protocols 0 to 2."""
    if encoding != "latin1":
        raise _RefusedError(f"the encoding {encoding!r}")
    return text.encode("latin1")


def _rebuild(cls: Any, _base: Any, _state: Any) -> Any:
    """An object as Python 2 writes it in protocols 0 and 1: only our own records."""
    if not (isinstance(cls, type) and issubclass(cls, Record)):
        raise _RefusedError(f"an object of {cls}")
    return cls()


def _torch_storage(data: bytes) -> Any:
    """A torch tensor's numbers, through torch's own restricted reader."""
    import torch  # only ProbTalk3D's templates need it

    return torch.load(io.BytesIO(data), weights_only=True)


def _torch_tensor(storage: Any, offset: int, size: Any, stride: Any, *_rest: Any) -> Any:
    """A torch tensor, as a numpy array."""
    import torch

    numbers = torch.empty(0, dtype=storage.dtype)
    numbers.set_(storage._untyped_storage, offset, size, stride)
    return numbers.numpy().copy()


_KNOWN: Mapping[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _bytes,
    ("builtins", "object"): object,
    ("copyreg", "_reconstructor"): _rebuild,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch.storage", "_load_from_bytes"): _torch_storage,
    ("torch._utils", "_rebuild_tensor_v2"): _torch_tensor,
}
