"""EMOTE's folders of MEAD reconstructions (inferno): one HDF5 file a clip."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from . import files
from .dataset import Clip
from .errors import DatasetError
from .files import SoundFile
from .flame import IDENTITIES
from .parameters import EXPRESSIONS, Parameters
from .resample import Ints

_WIDTHS = {"shape": IDENTITIES, "exp": EXPRESSIONS, "jaw": 3}


@dataclass(frozen=True)
class Hdf5Parameters:
    """shape_pose_cam.hdf5: shape (1, T, 300), exp (1, T, 100), jaw (1, T, 3), and more."""

    path: Path
    frames: int

    def read(self, which: Ints) -> Parameters:
        """The parameters of these frames; raises DatasetError."""
        first, last = int(which.min()), int(which.max()) + 1
        try:
            with h5py.File(self.path) as file:
                parts = [file[key][0, first:last][which - first] for key in _WIDTHS]
        except (OSError, KeyError) as error:
            raise DatasetError(self.path, "is a damaged HDF5 file") from error
        return Parameters(*(np.asarray(part, np.float32) for part in parts))


def open_hdf5(path: Path) -> Hdf5Parameters:
    """Check a reconstruction's shapes; raises DatasetError."""
    try:
        with h5py.File(path) as file:
            shapes = {key: tuple(file[key].shape) for key in _WIDTHS}
    except (OSError, KeyError, AttributeError) as error:
        problem = "is damaged or no reconstruction with shape, exp and jaw"
        raise DatasetError(path, problem) from error
    frames = shapes["jaw"][1] if len(shapes["jaw"]) == 3 else 0
    expected = {key: (1, frames, width) for key, width in _WIDTHS.items()}
    if frames < 1 or shapes != expected:
        raise DatasetError(path, f"its arrays are {shapes}, not (1, frames, 300 | 100 | 3)")
    return Hdf5Parameters(path, frames)


def motion_path(folder: Path, clip: Clip) -> Path:
    """SUBJECT/front/EMOTION/level_K/NNN/shape_pose_cam.hdf5."""
    return folder / clip.subject / "front" / _performance(clip) / "shape_pose_cam.hdf5"


def sound_path(folder: Path, clip: Clip) -> Path:
    """The clip's sound where it is, flat under ProbTalk3D's name, in folders like the motion's or
    in MEAD's own; MEAD's .m4a if that is all there is; else the first of these names."""
    stems = (
        folder / clip.id,
        folder / clip.subject / "front" / _performance(clip),
        folder / clip.subject / "audio" / _performance(clip),
    )
    names = [stem.with_name(stem.name + end) for end in (".wav", ".m4a") for stem in stems]
    return next((name for name in names if name.exists()), names[0])


def open_sound(path: Path) -> SoundFile:
    """A sound file; raises DatasetError, for MEAD's .m4a too, with the way to convert it."""
    if path.suffix == ".m4a":
        hint = f"Convert it: ffmpeg -i {path.name} {path.stem}.wav"
        raise DatasetError(path, "is AAC sound, which is not read", hint)
    return files.open_sound(path)


def _performance(clip: Clip) -> str:
    """EMOTION/level_K/NNN; neutral has one level."""
    return f"{clip.emotion}/level_{max(clip.intensity, 1)}/{clip.sentence}"
