"""Motion: vertex displacements over time, in memory and as motion.npz.

The file is a plain .npz with fixed time stamps and no compression: equal motions, equal bytes.
What a pack made also says of which codes it is made, so that a part of it can be made again.
"""

import ast
import io
import math
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .errors import MotionError

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
# A frame is asked for only when the sound reaches past it by more than rounding: 0.1 s at 30 fps
# is 3 frames although 0.1 * 30 is 3.0000000000000004. One sample at 192 kHz is 1e-4 of a frame.
_FRAME_TOLERANCE = 1e-6
_BLOCK_FRAMES = 256
_MAY_BE_ABSENT = ("codes", "codes_pack")


@dataclass(frozen=True)
class MotionInfo:
    """Whose motion it is: frames per second, topology and pack names, seed, sound's length."""

    fps: float
    topology: str
    model: str
    seed: int
    audio_seconds: float


@dataclass(frozen=True)
class Codes:
    """What a motion was decoded from: `numbers` (T, H) uint16 into the codebook of the pack whose
    fingerprint is `pack`."""

    numbers: npt.NDArray[np.uint16]
    pack: str


@dataclass(frozen=True)
class Motion:
    """Displacements (T, V, 3) float32, metres from rest, in the pack's axes and vertex order;
    `codes` where a pack made the motion and nothing changed it since."""

    displacements: npt.NDArray[np.float32]
    fps: float
    topology: str
    model: str
    seed: int
    audio_seconds: float
    codes: Codes | None = None

    @property
    def info(self) -> MotionInfo:
        """Whose motion it is."""
        return MotionInfo(self.fps, self.topology, self.model, self.seed, self.audio_seconds)


@dataclass(frozen=True)
class Stored:
    """A motion file whose displacements stay on the disk: a long one takes GB of memory."""

    path: Path
    info: MotionInfo
    shape: tuple[int, int, int]
    codes: Codes | None

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """The displacements in consecutive blocks (t, V, 3); raises MotionError."""
        with _understood(self.path), zipfile.ZipFile(self.path) as archive, archive.open(
                "displacements.npy") as member:
            _read_npy_header(member)
            for start in range(0, self.shape[0], _BLOCK_FRAMES):
                shape = (min(_BLOCK_FRAMES, self.shape[0] - start), *self.shape[1:])
                content = member.read(4 * math.prod(shape))
                block = np.frombuffer(content, dtype="<f4").reshape(shape)
                _check_displacements(block)
                yield block


def frame_count(audio_seconds: float, fps: float) -> int:
    """T = ceil(audio_seconds * fps), at least 1, safe against rounding in the product."""
    return max(1, math.ceil(audio_seconds * fps - _FRAME_TOLERANCE))


def save(motion: Motion, path: str | os.PathLike[str]) -> None:
    """Write motion.npz whole or not at all; equal motions give equal bytes."""
    write(path, motion.info, motion.displacements.shape, [motion.displacements], motion.codes)


def write(path: str | os.PathLike[str], info: MotionInfo, shape: tuple[int, ...],
          blocks: Iterable[npt.NDArray[np.float32]], codes: Codes | None = None) -> None:
    """Write motion.npz from blocks (t, V, 3) that add up to `shape` (T, V, 3), never holding more
    than one; raises MotionError when they do not add up, and leaves no half file behind."""
    fields: dict[str, npt.NDArray[Any] | np.generic] = {
        "fps": np.float64(info.fps), "topology": np.str_(info.topology),
        "model": np.str_(info.model), "seed": np.int64(info.seed),
        "audio_seconds": np.float64(info.audio_seconds)}
    if codes:
        fields |= {"codes": codes.numbers, "codes_pack": np.str_(codes.pack)}
    with _replacing(Path(path)) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _write_blocks(archive, shape, blocks)
        for name, value in fields.items():
            _write_array(archive, name, value)


def load(path: str | os.PathLike[str]) -> Motion:
    """Read motion.npz; raises MotionError when it is missing, damaged, or no motion."""
    with _understood(path), open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        displacements = arrays["displacements"]
        _check_displacements(displacements)
        codes = _codes(arrays, len(displacements))
        return Motion(displacements, **vars(_info(arrays)), codes=codes)


def look(path: str | os.PathLike[str]) -> Stored:
    """Read motion.npz but for its displacements, which are read block by block when wanted; raises
    MotionError when it is missing, damaged, or no motion."""
    with _understood(path), open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        with zipfile.ZipFile(file) as archive, archive.open("displacements.npy") as member:
            shape = _read_npy_header(member)
        return Stored(Path(path), _info(arrays), shape, _codes(arrays, shape[0]))


def resample(motion: Motion, fps: float) -> Motion:
    """The same motion at another frame rate, linearly between frames; T = ceil(seconds * fps)."""
    if not fps > 0:
        raise MotionError("bad_fps", f"Frames per second must be above 0, not {fps}.")
    if fps == motion.fps:
        return motion
    times = np.arange(frame_count(motion.audio_seconds, fps)) * (motion.fps / fps)
    frames = interpolate_rows(motion.displacements, times)
    return Motion(frames, fps, motion.topology, motion.model, motion.seed, motion.audio_seconds)


def interpolate_rows(rows: npt.NDArray[np.float32],
                     positions: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Rows (N, ...) read linearly at fractional indices (M,), held at both ends -> (M, ...)."""
    positions = np.clip(positions, 0, len(rows) - 1)
    below = np.floor(positions).astype(np.int64)
    above = np.minimum(below + 1, len(rows) - 1)
    share = (positions - below).astype(np.float32).reshape((-1,) + (1,) * (rows.ndim - 1))
    return np.asarray(rows[below] * (1 - share) + rows[above] * share, dtype=np.float32)


@contextmanager
def _understood(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever goes wrong while a file is read, as one MotionError."""
    try:
        yield
    except FileNotFoundError as problem:
        raise MotionError("motion_missing", f"There is no motion file '{path}'.") from problem
    except (OSError, ValueError, KeyError, TypeError, EOFError, SyntaxError, zlib.error,
            zipfile.BadZipFile) as problem:
        raise MotionError("motion_damaged", f"'{path}' is not a motion file: {problem}.",
                          "Generate it again.") from problem


def _check_displacements(displacements: npt.NDArray[Any]) -> None:
    """Raises ValueError on what is no motion."""
    shape = displacements.shape
    if displacements.ndim != 3 or shape[2] != 3 or shape[0] == 0:
        raise ValueError(f"displacements have shape {shape}, not (T, V, 3)")
    if displacements.dtype != np.float32 or not np.isfinite(displacements).all():
        raise ValueError("displacements must be finite float32")


def _info(arrays: Mapping[str, npt.NDArray[Any]]) -> MotionInfo:
    """Raises KeyError or ValueError on a file that does not say whose motion it is."""
    info = MotionInfo(float(arrays["fps"]), str(arrays["topology"]), str(arrays["model"]),
                      int(arrays["seed"]), float(arrays["audio_seconds"]))
    if not (info.fps > 0 and info.audio_seconds > 0):
        raise ValueError(f"fps {info.fps} and audio_seconds {info.audio_seconds} must be > 0")
    return info


def _codes(arrays: Mapping[str, npt.NDArray[Any]], frames: int) -> Codes | None:
    """None in a file without, which no pack made; raises ValueError on malformed ones."""
    if any(name not in arrays for name in _MAY_BE_ABSENT):
        return None
    numbers, pack = (arrays[name] for name in _MAY_BE_ABSENT)
    if numbers.dtype != np.uint16 or numbers.ndim != 2 or len(numbers) != frames:
        raise ValueError(f"codes are {numbers.dtype} {numbers.shape}, not uint16 ({frames}, H)")
    return Codes(numbers, str(pack))


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file beside `path` that takes its place only when the block ends well; a link
    stays, and the file that it names is replaced."""
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(temporary, "wb") as file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_blocks(archive: zipfile.ZipFile, shape: tuple[int, ...],
                  blocks: Iterable[npt.NDArray[np.float32]]) -> None:
    """Stream the displacements as one .npy member."""
    done = 0
    with archive.open(_member("displacements"), "w", force_zip64=True) as member:
        member.write(_npy_header(shape))
        for block in blocks:
            if block.shape[1:] != tuple(shape[1:]):
                raise MotionError("motion_shape", f"A block of {block.shape} in a {shape} motion.")
            member.write(np.ascontiguousarray(block, dtype="<f4").data)
            done += len(block)
    if done != shape[0]:
        raise MotionError("motion_shape", f"{done} frames were made where {shape[0]} were due.")


def _npy_header(shape: tuple[int, ...]) -> bytes:
    """The start of a version 1.0 .npy file of little-endian float32, padded to 64 bytes."""
    sizes = tuple(int(n) for n in shape)
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {sizes}, }}"
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("ascii")


def _read_npy_header(member: IO[bytes]) -> tuple[int, int, int]:
    """The shape (T, V, 3) that a version 1.0 .npy stream announces; raises ValueError."""
    start = member.read(10)
    if start[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError("the displacements are no .npy of version 1.0")
    facts = ast.literal_eval(member.read(int.from_bytes(start[8:10], "little")).decode("latin-1"))
    shape, kind = facts["shape"], facts["descr"]
    if kind != "<f4" or facts["fortran_order"] or len(shape) != 3 or 0 in shape or shape[2] != 3:
        raise ValueError(f"displacements are {kind} {shape}, not float32 (T, V, 3)")
    return shape[0], shape[1], 3


def _write_array(archive: zipfile.ZipFile, name: str,
                 value: npt.NDArray[Any] | np.generic) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value), allow_pickle=False)
    archive.writestr(_member(name), buffer.getvalue())


def _member(name: str) -> zipfile.ZipInfo:
    """A member whose bytes do not depend on the clock or the operating system."""
    info = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_EPOCH)
    info.create_system = 3
    return info
