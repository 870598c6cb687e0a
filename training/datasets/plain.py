"""A plain folder for anyone's own data, of any topology and frame rate (docs/datasets.md).

dataset.toml   topology, metres_per_unit
clips.csv      one row a clip: id, subject, sentence, split, emotion, intensity, fps
vertices_npy/  ID.npy, (T, 3 V) or (T, V, 3)
wav/           ID.wav, any rate
templates.npz  one array (V, 3) a subject
"""

import csv
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.format import open_memmap

from backend.errors import SoliloquyError

from . import flat, write
from .dataset import TOLERANCE_S, Clip, Dataset, Templates, sort_out
from .errors import DatasetError
from .files import SAMPLE_RATE_HZ
from .resample import Floats

COLUMNS = ("id", "subject", "sentence", "split", "emotion", "intensity", "fps")
_CHUNK_FRAMES = 256


class Row(NamedTuple):
    """One row of clips.csv."""

    clip: Clip
    fps: float


def read(folder: Path, tolerance_s: float = TOLERANCE_S) -> Dataset:
    """Read a plain folder; raises DatasetError when its description or templates cannot be read.

    Style vectors follow the training subjects' order in clips.csv.
    """
    topology, metres_per_unit = _description(folder / "dataset.toml")
    path = folder / "templates.npz"
    faces, rows = Templates(path, _arrays(path)), read_rows(folder / "clips.csv")

    def layout(fps: float) -> flat.Layout:
        return flat.Layout(folder.name, topology, fps, metres_per_unit, (), ())

    entries = (flat.entry(layout(row.fps), folder, faces, row.clip) for row in rows)
    found = sort_out(folder, entries, tolerance_s)
    emotions = tuple(dict.fromkeys(row.clip.emotion for row in rows))
    return Dataset(
        folder.name, topology, metres_per_unit, styles(rows), emotions, faces.of, *found
    )


def write_from(
    dataset: Dataset, folder: Path, on_clip: Callable[[Clip], None]
) -> list[SoliloquyError]:
    """Write any data set as a plain folder, chunk by chunk; returns why clips were left out."""
    for name in ("vertices_npy", "wav"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    faces: dict[str, Floats] = {}
    failed: list[SoliloquyError] = []
    for clip in dataset.clips:
        try:
            _write_clip(dataset, clip, folder)
            faces[clip.subject] = dataset.template(clip.subject)
        except SoliloquyError as fault:
            failed.append(fault)
            _motion_path(folder, clip).unlink(missing_ok=True)
            continue
        rows.append(Row(clip, dataset.native_fps(clip)))
        on_clip(clip)
    np.savez(folder / "templates.npz", **faces)
    write_rows(folder / "clips.csv", rows)
    text = f'topology = "{dataset.topology}"\nmetres_per_unit = {dataset.metres_per_unit!r}\n'
    (folder / "dataset.toml").write_text(text, encoding="utf-8")
    return failed


def read_rows(path: Path) -> list[Row]:
    """The clips of a clips.csv, in order; raises DatasetError naming the line."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(path, f"cannot be read ({error})") from error
    for column in COLUMNS:
        if lines and column not in lines[0]:
            raise DatasetError(path, f"has no column {column}", f"Columns: {', '.join(COLUMNS)}.")
    rows = [_row(path, number, line) for number, line in enumerate(lines, start=2)]
    return with_styles(rows)


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write clips.csv."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for c, fps in rows:
            table.writerow(
                (c.id, c.subject, c.sentence, c.split, c.emotion, c.intensity, f"{fps:.10g}")
            )


def styles(rows: list[Row]) -> tuple[str, ...]:
    """The training subjects in the order of their first clips."""
    return tuple(dict.fromkeys(row.clip.subject for row in rows if row.clip.split == "train"))


def with_styles(rows: list[Row]) -> list[Row]:
    """The rows, each clip with its subject's place in the one-hot vector."""
    place = {subject: number for number, subject in enumerate(styles(rows))}
    return [row._replace(clip=replace(row.clip, style=place.get(row.clip.subject))) for row in rows]


def _row(path: Path, number: int, line: dict[str, str | None]) -> Row:
    words = {column: (line[column] or "").strip() for column in COLUMNS}
    # Ids are file names: none may lead out of the folder.
    if not words["id"] or Path(words["id"]).name != words["id"]:
        raise DatasetError(path, f"line {number}: the id is {words['id']!r}, not a file's name")
    try:
        intensity, fps = int(words["intensity"] or 0), float(words["fps"])
    except ValueError as error:
        raise DatasetError(path, f"line {number}: intensity or fps is no number") from error
    if not 1 <= fps <= 1000:
        raise DatasetError(path, f"line {number}: fps is {fps:g}")
    named = {column: words[column] for column in COLUMNS[:5]}
    return Row(Clip(**named, intensity=intensity, style=None), fps)


def _description(path: Path) -> tuple[str, float]:
    """Topology's name and metres per unit of a dataset.toml."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        topology, metres = str(table.pop("topology")), float(table.pop("metres_per_unit"))
    except FileNotFoundError as error:
        hint = "Make one with: python -m training prepare."
        raise DatasetError(path, "does not exist", hint) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DatasetError(path, f"needs topology and metres_per_unit ({error})") from error
    if table or not metres > 0:
        raise DatasetError(path, f"unknown keys {list(table)} or metres_per_unit {metres:g}")
    return topology, metres


def _arrays(path: Path) -> dict[str, Floats]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(path, f"is no .npz of arrays ({error})") from error


def _motion_path(folder: Path, clip: Clip) -> Path:
    return folder / "vertices_npy" / f"{clip.id}.npy"


def _write_clip(dataset: Dataset, clip: Clip, folder: Path) -> None:
    """Motion in chunks, at its own frame rate, and sound at 16 kHz."""
    fps = dataset.native_fps(clip)
    frames, vertices = dataset.frames(clip, fps), len(dataset.template(clip.subject))
    path = _motion_path(folder, clip)
    waveform = dataset.waveform(clip)
    shape = (frames, 3 * vertices)
    motion: Floats = open_memmap(path, "w+", np.float32, shape)  # type: ignore[no-untyped-call]
    for start in range(0, frames, _CHUNK_FRAMES):
        chunk = dataset.positions(clip, fps, start, start + _CHUNK_FRAMES)
        motion[start : start + _CHUNK_FRAMES] = chunk.reshape(len(chunk), -1)
    write.sound(folder / "wav" / f"{clip.id}.wav", waveform, SAMPLE_RATE_HZ)
