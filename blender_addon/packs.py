"""Model packs of the user's own: install from a .zip, list, remove. Knows no Blender."""

import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ._backend import errors, pack

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """An installed pack in words; `problem` instead where its manifest cannot be read."""

    name: str
    path: Path
    shipped: bool
    vertex_count: int = 0
    what: str = ""
    licence: str = ""
    size_mb: float = 0.0
    figures: tuple[str, ...] = ()
    problem: str = ""


def installed(own_folders: list[Path]) -> list[Entry]:
    """Every pack that can be chosen, the user's own first."""
    own = [path for folder in own_folders for path in in_folder(folder)]
    return ([_entry(path, False) for path in own]
            + [_entry(path, True) for path in pack.installed() if path not in own])


def in_folder(folder: Path) -> list[Path]:
    """The packs that lie in a folder, unverified."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")
            and (path.suffix == ".zip" or (path / pack.MANIFEST).is_file())]


def install(archive: Path, folder: Path) -> str:
    """Check a .zip whole, then unpack it below `folder` whole or not at all, in place of an
    earlier version; returns the pack's name. Raises PackError with nothing written."""
    found = pack.load(archive)
    name = found.manifest.name
    if not _NAME.fullmatch(name):
        raise errors.PackError("pack_name", f"'{name}' cannot be a folder's name.",
                               "Export the pack under a plain name.")
    if any(path.name == name and path.parent != folder for path in pack.installed()):
        raise errors.PackError("pack_shipped", f"The model '{name}' comes with Soliloquy.",
                               "Export the pack under another name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder,
                                         ignore_cleanup_errors=True) as new:
            _fill(draft := Path(new) / name, found)
            _replace(draft, folder / name)
    except OSError as problem:
        raise errors.PackError("pack_not_written", f"'{folder}' cannot be written: {problem}.",
                               "Make room, or free the folder.") from problem
    return name


def remove(name: str, folder: Path) -> None:
    """Delete one of the user's own packs; raises PackError when it is not there."""
    place = folder / name
    if not _NAME.fullmatch(name) or not (place / pack.MANIFEST).is_file():
        raise errors.PackError("pack_unknown", f"'{folder}' has no model '{name}'.")
    try:
        _delete(place)
    except OSError as problem:
        raise errors.PackError("pack_not_removed", f"'{place}' cannot be removed: {problem}.",
                               "Free the folder, or delete it yourself.") from problem


def _fill(draft: Path, found: pack.Pack) -> None:
    """Write a whole pack into a new folder."""
    draft.mkdir()
    for entry in found.manifest.files:
        (draft / entry).write_bytes(found.read(entry))
    pack.write(draft, found.manifest)


def _replace(draft: Path, place: Path) -> None:
    """Put a whole folder where another may be: the old one goes only once the new one is there."""
    old = place.with_name(f".old-{place.name}")
    with suppress(OSError):
        _delete(old)
    if place.exists() or place.is_symlink():
        os.rename(place, old)
    os.rename(draft, place)
    with suppress(OSError):
        _delete(old)


def _delete(place: Path) -> None:
    """Delete a folder; of a link only the link, for what it leads to belongs elsewhere."""
    if place.is_symlink():
        place.unlink()
    else:
        shutil.rmtree(place)


def _entry(path: Path, shipped: bool) -> Entry:
    try:
        manifest = pack.read_manifest(path)
    except errors.PackError as problem:
        return Entry(path.stem, path, shipped, problem=str(problem))
    topology = manifest.topology
    what = (f"{topology.name.upper()}, {topology.vertex_count:,} vertices, {manifest.fps:g} fps, "
            f"{manifest.method}")
    size_mb = sum(entry.bytes for entry in manifest.files.values()) / 1e6
    return Entry(manifest.name, path, shipped, topology.vertex_count, what, manifest.licence,
                 size_mb, manifest.figures)
