"""Motion as animation programs export it: OBJ sequences, PC2, MDD, Alembic; and neutral faces."""

import importlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DatasetError
from .files import map_npy, open_npy
from .resample import Floats, Ints, Track

_PC2_HEADER = struct.Struct("<12siiffi")
_MDD_HEADER = struct.Struct(">ii")
ALEMBIC = "alembic3d==1.8.12.1"


@dataclass(frozen=True)
class ObjSequence:
    """One .obj a frame, ordered by the number that ends each name."""

    paths: tuple[Path, ...]
    vertices: int
    fps: float

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.paths)

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3); raises DatasetError naming the frame's file."""
        frames = [read_obj(self.paths[frame]) for frame in which]
        for frame, found in zip(which, frames, strict=True):
            if len(found) != self.vertices:
                problem = f"has {len(found)} vertices, not {self.vertices}"
                raise DatasetError(self.paths[frame], problem)
        return np.stack(frames)


@dataclass(frozen=True)
class PointCache:
    """A .pc2 or .mdd: float32 positions behind a header."""

    path: Path
    dtype: str
    offset: int
    shape: tuple[int, int, int]
    fps: float

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.shape[0]

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3)."""
        mapped = np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
        return np.asarray(mapped[which], np.float32)


@dataclass(frozen=True)
class AlembicMesh:
    """One mesh of an .abc; object transforms are left out, so head turns are not motion."""

    path: Path
    vertices: int
    frames: int
    fps: float

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3)."""
        samples = _alembic_mesh(self.path, self.vertices).getPositionsProperty()
        return np.stack([np.array(samples.getValue(int(frame)), np.float32) for frame in which])


@dataclass(frozen=True)
class UprightTrack:
    """A track whose z axis points up (Blender's own), turned so that y does."""

    track: Track

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.track.frames

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self.track.fps

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3), y up."""
        return upright(self.track.read(which))


def upright(positions: Floats) -> Floats:
    """(x, y, z) with z up and the face towards -y -> (x, z, -y): y up, the face towards z."""
    return positions[..., [0, 2, 1]] * np.array([1, 1, -1], positions.dtype)


def open_motion(path: Path, vertices: int, fps: float | None) -> Track:
    """A track from a .npy, .pc2, .mdd or .abc file or a folder of .obj; raises DatasetError.

    Only Alembic says its frame rate; the others need `fps`.
    """
    if path.suffix == ".abc":
        return open_alembic(path, vertices)
    if fps is None:
        raise DatasetError(path, "does not say its frame rate", "Give --fps.")
    if path.is_dir():
        return open_obj_sequence(path, vertices, fps)
    if path.suffix in (".pc2", ".mdd"):
        return open_cache(path, vertices, fps)
    return open_npy(path, vertices, fps)


def open_obj_sequence(folder: Path, vertices: int, fps: float) -> ObjSequence:
    """The folder's .obj files; raises DatasetError unless each name ends in another number."""
    paths = list(folder.glob("*.obj"))
    ends = [re.search(r"(\d+)$", path.stem) for path in paths]
    numbers = [int(end.group(1)) for end in ends if end]
    if not paths or len(set(numbers)) != len(paths):
        problem = f"holds {len(paths)} .obj files, {len(set(numbers))} frame numbers"
        raise DatasetError(folder, problem, "Name them NAME_0001.obj, NAME_0002.obj, ...")
    ordered = [path for _, path in sorted(zip(numbers, paths, strict=True))]
    return ObjSequence(tuple(ordered), vertices, fps)


def open_cache(path: Path, vertices: int, fps: float) -> PointCache:
    """A PC2 or MDD file; raises DatasetError when truncated or of another vertex count."""
    with open(path, "rb") as file:
        head = file.read(_PC2_HEADER.size)
    try:
        if path.suffix == ".pc2":
            _, _, points, _, _, frames = _PC2_HEADER.unpack_from(head)
            dtype, offset = "<f4", _PC2_HEADER.size
        else:
            frames, points = _MDD_HEADER.unpack_from(head)
            dtype, offset = ">f4", _MDD_HEADER.size + 4 * frames
    except struct.error as error:
        raise DatasetError(path, "is damaged: it ends within its header") from error
    if points != vertices or frames < 1:
        raise DatasetError(path, f"has {points} vertices and {frames} frames, not {vertices}")
    if path.stat().st_size < offset + 12 * points * frames:
        raise DatasetError(path, f"is truncated: it says {frames} frames", "Export it again.")
    return PointCache(path, dtype, offset, (frames, points, 3), fps)


def open_alembic(path: Path, vertices: int) -> AlembicMesh:
    """The archive's only mesh of `vertices` vertices; raises DatasetError."""
    mesh = _alembic_mesh(path, vertices)
    frames, times = mesh.getNumSamples(), mesh.getTimeSampling()
    seconds = times.getSampleTime(frames - 1) - times.getSampleTime(0)
    if frames < 2 or seconds <= 0:
        raise DatasetError(path, f"has {frames} frame of the face: no motion")
    return AlembicMesh(path, vertices, frames, round((frames - 1) / seconds, 5))


def read_face(path: Path) -> Floats:
    """A neutral face (V, 3) from a .npy or .obj; raises DatasetError."""
    face = read_obj(path) if path.suffix == ".obj" else np.asarray(map_npy(path))
    if face.ndim != 2 or face.shape[1] != 3 or not np.isfinite(face).all():
        raise DatasetError(path, f"is no face: its shape is {face.shape}, not (vertices, 3)")
    return face


def read_obj(path: Path) -> npt.NDArray[np.float32]:
    """An .obj's vertices (V, 3) in file order; raises DatasetError."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        rows = [line.split()[1:4] for line in lines if line.startswith("v ")]
        return np.array(rows, np.float32).reshape(len(rows), 3)
    except (OSError, ValueError) as error:
        raise DatasetError(path, f"is no .obj that can be read ({error})") from error


def _alembic_mesh(path: Path, vertices: int) -> Any:
    """The schema of the archive's only polygon mesh of this many vertices."""
    try:
        archives = importlib.import_module("alembic3d.Abc")
        geometry = importlib.import_module("alembic3d.AbcGeom")
    except ImportError as error:
        hint = f"Run: pip install {ALEMBIC}; or export an OBJ sequence or MDD from Blender."
        raise DatasetError(path, "is Alembic, whose reader is not installed", hint) from error
    try:
        meshes = _meshes(archives.IArchive(str(path)).getTop(), geometry)
    except RuntimeError as error:
        raise DatasetError(path, "is no Alembic archive that can be read") from error
    sizes = [len(mesh.getPositionsProperty().getValue(0)) for mesh in meshes]
    if sizes.count(vertices) != 1:
        problem = f"has meshes of {sizes} vertices, not one of {vertices}"
        raise DatasetError(path, problem, "Export the face alone, without modifiers.")
    return meshes[sizes.index(vertices)]


def _meshes(parent: Any, geometry: Any) -> list[Any]:
    """All polygon meshes below an object."""
    found = []
    for child in parent.children:
        if geometry.IPolyMesh.matches(child.getHeader()):
            found.append(geometry.IPolyMesh(parent, child.getName()).getSchema())
        found += _meshes(child, geometry)
    return found
