"""The model pack: the seam between training and inference, and the one owner of its schema.

A pack is a flat folder, or a .zip of one: manifest.json and the files it lists with size and
sha256. Everything is checked before anything is used; a pack is never trusted in part.
"""

import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from . import typed_json
from .errors import PackError

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
REQUIRED_FILES = ("audio_encoder.onnx", "denoiser.onnx", "decoder.onnx", "codebook.npz",
                  "reference.npz")
# What packs with emotions have beside them.
EMOTION_FILES = ("emotion_encoder.onnx", "emotions.npz")
_METHODS = ("gldi", "exptalk")
_SAMPLERS = ("ddim", "ddpm", "dpmpp_2m")
_MANIFEST_LIMIT_BYTES = 4_000_000
# Files that desktop systems drop into any folder they show.
_IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
# What numpy.load raises about a file of arrays that is damaged or none.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, RuntimeError, zlib.error,
              zipfile.BadZipFile)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Topology:
    """The mesh a pack moves: its name, vertex count and `face_hash`."""

    name: str
    vertex_count: int
    face_hash: str


@dataclass(frozen=True)
class Features:
    """What the audio encoder gives: vectors of `size` at `rate_hz`."""

    rate_hz: float
    size: int


@dataclass(frozen=True)
class NoiseSchedule:
    """The diffusion's noise schedule and its number of steps in training."""

    kind: str
    steps: int


@dataclass(frozen=True)
class DefaultSampler:
    """The sampler (ddim, ddpm or dpmpp_2m) and number of steps that suit the pack; `eta` is the
    share of fresh noise in each step of ddim."""

    name: str
    steps: int
    eta: float


@dataclass(frozen=True)
class FileEntry:
    """A file's checksum and size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """manifest.json, field by field; `latent_shape` is (H, C), `files` is filled by `write`;
    `emotion_features` is what the emotion encoder gives, in packs that have one; `figures` are
    lines for people on how well the pack does, and on what that was measured."""

    schema_version: int
    name: str
    method: str
    topology: Topology
    fps: float
    metres_per_unit: float
    sample_rate_hz: int
    features: Features
    latent_shape: tuple[int, int]
    schedule: NoiseSchedule
    sampler: DefaultSampler
    styles: tuple[str, ...]
    emotions: tuple[str, ...]
    training: dict[str, Any]
    licence: str
    credits: tuple[str, ...]
    files: dict[str, FileEntry] = field(default_factory=dict)
    emotion_features: Features | None = None
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pack:
    """A verified pack: its manifest and where it lies (a folder or a .zip)."""

    manifest: Manifest
    path: Path

    def read(self, name: str) -> bytes:
        """One listed file's bytes, checked again as they are read; raises PackError."""
        entry = self.manifest.files.get(name)
        if entry is None:
            raise PackError("pack_file_missing", f"The pack '{self.path}' has no file '{name}'.")
        with _opened(self.path, name) as file:
            content = file.read(entry.bytes + 1)
        if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise _damaged(self.path, name, "its checksum is wrong")
        return content

    def open(self, name: str) -> IO[bytes]:
        """One listed file as a seekable binary stream, for `numpy.load`; raises PackError."""
        return io.BytesIO(self.read(name))

    @property
    def fingerprint(self) -> str:
        """sha256 over all checksums: one string that changes when any file changes."""
        lines = [f"{name} {entry.sha256}" for name, entry in sorted(self.manifest.files.items())]
        return hashlib.sha256("\n".join(lines).encode("ascii")).hexdigest()


def load(path: str | os.PathLike[str]) -> Pack:
    """The pack at `path` (a folder or a .zip), with every file's size and sha256 verified; raises
    PackError naming the first thing that is wrong."""
    pack_path = Path(path)
    manifest = read_manifest(pack_path)
    sizes = _sizes(pack_path)
    for name in sorted(set(sizes) - set(manifest.files) - {MANIFEST}):
        raise _damaged(pack_path, name, "the manifest does not list it")
    for name, entry in sorted(manifest.files.items()):
        if name not in sizes:
            raise PackError("pack_file_missing", f"The pack '{path}' lacks '{name}'.", _AGAIN)
        if sizes[name] != entry.bytes:
            raise _damaged(pack_path, name, f"it has {sizes[name]} bytes, not {entry.bytes}")
        if _digest(pack_path, name) != entry.sha256:
            raise _damaged(pack_path, name, "its checksum is wrong")
    return Pack(manifest, pack_path)


def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """The manifest at `path` alone, its fields checked but no other file read; raises PackError."""
    pack_path = Path(path)
    with _opened(pack_path, MANIFEST) as file:
        content = file.read(_MANIFEST_LIMIT_BYTES)
    try:
        fields = typed_json.loads(content.decode("utf-8"))
        _check_version(pack_path, fields)
        manifest = typed_json.parse(Manifest, fields)
        _check_values(manifest)
        _check_files(manifest)
    except ValueError as problem:
        raise PackError("pack_manifest", f"The manifest of the pack '{path}' is wrong: {problem}.",
                        _AGAIN) from problem
    return manifest


def write(folder: str | os.PathLike[str], manifest: Manifest) -> Pack:
    """Measure every file in `folder`, write manifest.json whole or not at all, and read the pack
    back verified; raises PackError when what was written would be refused."""
    pack_path = Path(folder)
    names = sorted(set(os.listdir(pack_path)) - {MANIFEST} - _IGNORED)
    files = {name: FileEntry(_digest(pack_path, name), (pack_path / name).stat().st_size)
             for name in names}
    text = json.dumps(typed_json.plain(replace(manifest, files=files)), indent=1, allow_nan=False,
                      ensure_ascii=False)
    temporary = pack_path / f".{MANIFEST}.{os.getpid()}.part"
    temporary.write_bytes(text.encode("utf-8") + b"\n")
    os.replace(temporary, pack_path / MANIFEST)
    return load(pack_path)


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """Where a pack lies: a shipped name in the model folders, else a folder or a .zip, else an
    installed pack whose manifest has that name; raises PackError naming what is there instead."""
    wanted = os.fspath(name_or_path)
    for folder in model_folders():
        for candidate in (folder / wanted, folder / f"{wanted}.zip"):
            if wanted and Path(wanted).name == wanted and _looks_like_pack(candidate):
                return candidate
    if wanted and Path(wanted).exists():
        return Path(wanted)
    for path in installed():
        if _name(path) == wanted:
            return path
    names = ", ".join(filter(None, map(_name, installed())))
    raise PackError("pack_unknown", f"There is no model '{wanted}'.",
                    f"Choose one of: {names or 'none is installed'}; or give a pack's folder.")


def installed() -> list[Path]:
    """The packs in the model folders, by name, unverified."""
    return [path for folder in model_folders() if folder.is_dir()
            for path in sorted(folder.iterdir()) if _looks_like_pack(path)]


def model_folders() -> list[Path]:
    """Where packs are looked up: the folders in SOLILOQUY_MODELS, then `models` beside backend."""
    extra = [Path(entry) for entry in os.environ.get("SOLILOQUY_MODELS", "").split(os.pathsep)
             if entry]
    return [*extra, Path(__file__).resolve().parent.parent / "models"]


def face_hash(faces: Iterable[Sequence[int]]) -> str:
    """sha256 of a mesh's connectivity, whatever the order of its polygons and their first corner.

    Each polygon is turned so that its smallest index comes first (winding kept), all are sorted
    and joined as "a,b,c;d,e,f" in ASCII."""
    turned = []
    for face in faces:
        corners = [int(index) for index in face]
        start = corners.index(min(corners))
        turned.append(tuple(corners[start:] + corners[:start]))
    text = ";".join(",".join(map(str, face)) for face in sorted(turned))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


_AGAIN = "Copy or download the pack again."


def _damaged(path: Path, name: str, why: str) -> PackError:
    return PackError("pack_damaged", f"The pack '{path}' is damaged: '{name}': {why}.", _AGAIN)


def _check_version(path: Path, fields: Any) -> None:
    """Refuse another schema before its fields can confuse the reader."""
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version != SCHEMA_VERSION:
        raise PackError("pack_version", f"The pack '{path}' has schema version {version}; this "
                        f"release reads version {SCHEMA_VERSION}.",
                        "Update the add-on." if version > SCHEMA_VERSION else "Export it again.")


def _check_values(manifest: Manifest) -> None:
    """Values that no type can express; raises ValueError."""
    _one_of("method", manifest.method, _METHODS)
    _one_of("schedule.kind", manifest.schedule.kind, ("cosine",))
    _one_of("sampler.name", manifest.sampler.name, _SAMPLERS)
    positive = {"topology.vertex_count": manifest.topology.vertex_count, "fps": manifest.fps,
                "metres_per_unit": manifest.metres_per_unit,
                "sample_rate_hz": manifest.sample_rate_hz,
                "features.rate_hz": manifest.features.rate_hz,
                "features.size": manifest.features.size, "schedule.steps": manifest.schedule.steps,
                "latent_shape": min(manifest.latent_shape), "sampler.steps": manifest.sampler.steps}
    for name, value in positive.items():
        if value <= 0:
            raise ValueError(f"field '{name}' must be above 0, not {value}")
    felt = manifest.emotion_features
    for name, given in (("features", manifest.features), ("emotion_features", felt)):
        if given and given.rate_hz > manifest.sample_rate_hz:
            raise ValueError(f"field '{name}.rate_hz' must be at most sample_rate_hz, "
                             f"{manifest.sample_rate_hz}, not {given.rate_hz:g}")
    if (felt is not None) != (manifest.method == "exptalk"):
        raise ValueError("field 'emotion_features' belongs to the method 'exptalk' and to no other")
    if felt is not None and (min(felt.rate_hz, felt.size) <= 0 or len(manifest.emotions) < 2):
        raise ValueError("fields 'emotion_features' and 'emotions' are too small")
    if manifest.sampler.steps > manifest.schedule.steps or not 0 <= manifest.sampler.eta <= 1:
        raise ValueError(f"the sampler {manifest.sampler} does not fit the schedule")
    if not manifest.styles or len(set(manifest.styles)) != len(manifest.styles):
        raise ValueError("field 'styles' must name at least one style, each once")


def _check_files(manifest: Manifest) -> None:
    """Only plain names, so that no entry can reach outside the pack; raises ValueError."""
    for name, entry in manifest.files.items():
        if not _PLAIN_NAME.fullmatch(name) or name == MANIFEST:
            raise ValueError(f"'{name}' is no plain file name")
        if entry.bytes < 0 or not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
            raise ValueError(f"the size or the checksum of '{name}' is malformed")
    for name in (*REQUIRED_FILES, *(EMOTION_FILES if manifest.emotion_features else ())):
        if name not in manifest.files:
            raise ValueError(f"it does not list '{name}'")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"field '{name}' must be one of {', '.join(known)}, not '{value}'")


def _name(path: Path) -> str:
    """An installed pack's own name; '' when its manifest cannot be read."""
    try:
        return read_manifest(path).name
    except PackError:
        return ""


def _looks_like_pack(path: Path) -> bool:
    return (path / MANIFEST).is_file() or (path.suffix == ".zip" and path.is_file())


def _sizes(path: Path) -> dict[str, int]:
    """Every file in the pack and its size in bytes; a sub-folder counts as an unknown file."""
    if path.is_dir():
        return {entry.name: entry.stat().st_size for entry in os.scandir(path)
                if entry.name not in _IGNORED}
    with _archive(path) as archive:
        prefix = _prefix(path, archive)
        members = [info for info in archive.infolist() if not info.is_dir()]
        return {info.filename.removeprefix(prefix): info.file_size for info in members
                if info.filename.rpartition("/")[2] not in _IGNORED}


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    """A file of the pack for reading; a .zip is read in place, so nothing of it ever lands on the
    disk. Raises PackError when it cannot be read."""
    try:
        if path.suffix == ".zip" and path.is_file():
            with _archive(path) as archive, archive.open(_prefix(path, archive) + name) as file:
                yield file
        else:
            with open(path / name, "rb") as file:
                yield file
    except (KeyError, FileNotFoundError, NotADirectoryError) as problem:
        hint = "Choose the folder that holds the pack's manifest.json." if name == MANIFEST else ""
        raise PackError("pack_file_missing", f"'{path}' is no model pack: it has no '{name}'.",
                        hint or _AGAIN) from problem
    except (PackError, MemoryError):
        raise
    except Exception as problem:  # zipfile's decoders raise many unrelated types
        raise _damaged(path, name, str(problem)) from problem


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as problem:
        raise _damaged(path, path.name, str(problem)) from problem
    with archive:
        yield archive


def _prefix(path: Path, archive: zipfile.ZipFile) -> str:
    """'' or 'folder/': the pack may lie at the zip's root or in its one folder. Raises PackError
    on a member that points outside."""
    names = archive.namelist()
    for name in names:
        if name.startswith(("/", "\\")) or "\\" in name or ":" in name or ".." in name.split("/"):
            raise _damaged(path, name, "the name points outside the pack")
    tops = {name.split("/")[0] for name in names}
    return "" if MANIFEST in names or len(tops) != 1 else f"{tops.pop()}/"


def _digest(path: Path, name: str) -> str:
    """A file's sha256; remembered while path, time and size stay, so a second press is quick."""
    state = (path / name if path.is_dir() else path).stat()
    return _digest_at(path, name, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _digest_at(path: Path, name: str, _mtime_ns: int, _size: int) -> str:
    digest = hashlib.sha256()
    with _opened(path, name) as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
