"""All layouts by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import RequestError

from . import biwi, captures, flame, mead, plain, vocaset
from .captures import Source
from .dataset import Dataset


@dataclass(frozen=True)
class Options:
    """What some layouts need besides their folder."""

    flame: Path | None = None  # 3D-MEAD's parameters: the user's FLAME model file
    sounds: Path | None = None  # EMOTE's reconstructions: where the sounds are
    split: str = "sentence"  # 3D-MEAD: by "sentence" or by "identity"
    source: Source = field(default_factory=Source)  # captures


Reader = Callable[[Path, Options], Dataset]

READERS: Mapping[str, Reader] = {
    "captures": lambda folder, options: captures.read(folder, options.source),
    "plain": lambda folder, options: plain.read(folder),
    "vocaset": lambda folder, options: vocaset.read(folder),
    "vocaset-raw": lambda folder, options: vocaset.read_raw(folder),
    "biwi": lambda folder, options: biwi.read(folder),
    "mead-vertices": lambda folder, options: mead.read_vertices(folder, options.split),
    "mead-parameters": lambda folder, options: mead.read_parameters(
        folder, _model(options), options.split
    ),
    "mead-emote": lambda folder, options: mead.read_emote(
        folder, _model(options), options.sounds or folder, options.split
    ),
}


def read(layout: str, folder: Path, options: Options | None = None) -> Dataset:
    """Read a folder of a named layout; raises DatasetError, or RequestError on a bad option."""
    if layout not in READERS:
        names = ", ".join(READERS)
        raise RequestError("bad_layout", f"There is no layout {layout!r}.", f"Choose one: {names}.")
    if not folder.is_dir():
        raise RequestError("no_folder", f"{folder} is no folder.", "Give the data set's folder.")
    return READERS[layout](folder, options or Options())


def _model(options: Options) -> flame.Flame:
    if options.flame is None:
        hint = "Give --flame, such as generic_model.pkl from flame.is.tue.mpg.de."
        raise RequestError("no_flame", "These are FLAME parameters, which need its model.", hint)
    return flame.load(options.flame)
