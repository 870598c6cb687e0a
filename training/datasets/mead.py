"""3D-MEAD: 47 subjects, 8 emotions, 3 intensities, reconstructed from MEAD's videos at 25 fps.

Three layouts: ProbTalk3D's parameters (param/), its vertices (vertex/), and EMOTE's own
reconstructions (one folder a clip). Parameters need the user's FLAME model file.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from . import emote, flat, parameters
from .dataset import TOLERANCE_S, Clip, Dataset, Entry, Sorted, sort_out
from .files import Voice, open_sound
from .flame import Flame
from .parameters import ParameterTrack
from .resample import Track

FPS = 25.0
# In the order of the numbers in ProbTalk3D's file names; EMOTE's folders have the same names.
EMOTIONS = (
    "neutral", "happy", "sad", "surprised", "fear", "disgusted", "angry", "contempt",
)  # fmt: skip
_MEN = (3, 5, 7, 9, 11, 12, 13, 19, *range(22, 32))
_WOMEN = (9, 11, 14, 15, 16, 18, 19, 21, 23, 24, 25, 26, 28, 29)
# In the order of the one-hot style vector.
TRAIN = (*(f"M{number:03d}" for number in _MEN), *(f"W{number:03d}" for number in _WOMEN))
VAL = ("M032", "M033", "M034", "M035", "W033", "W035", "W036")
TEST = ("M037", "M039", "M040", "M041", "M042", "W037", "W038", "W040")
LAYOUT = flat.Layout(
    "mead-vertices", "flame", FPS, 1.0, TRAIN, EMOTIONS,
    motion="vertex", templates="templates_mead_vert.pkl", flat=False,
)  # fmt: skip
# The last training and the last validation sentence; neutral has 40 sentences, the others 30.
_NEUTRAL_ENDS, _EMOTIONAL_ENDS = (32, 36, 40), (24, 27, 30)
_SPLITS = ("train", "val", "test")
SPLIT_RULES = ("sentence", "identity")


def clips(rule: str = "sentence") -> Iterator[Clip]:
    """Every expected clip: split by sentence over the 32 training subjects (ProbTalk3D's second
    stage), or by identity over all 47 (EMOTE)."""
    if rule not in SPLIT_RULES:
        raise ValueError(f"rule is {rule!r}, not one of {SPLIT_RULES}")
    subjects = TRAIN if rule == "sentence" else TRAIN + VAL + TEST
    for subject in subjects:
        style = TRAIN.index(subject) if subject in TRAIN else None
        for number, level, sentence in _performances():
            split = _by_sentence(number, sentence) if rule == "sentence" else _by_identity(subject)
            name = f"{subject}_{sentence:03d}_{number}_{level}"
            intensity = level + 1 if number else 0
            yield Clip(name, subject, f"{sentence:03d}", split, EMOTIONS[number], intensity, style)


def read_vertices(
    folder: Path, rule: str = "sentence", tolerance_s: float = TOLERANCE_S
) -> Dataset:
    """vertex/ID.npy, wav/ID.wav, and templates_mead_vert.pkl there or one folder up.

    Raises DatasetError when the templates cannot be read.
    """
    inside, beside = (place / LAYOUT.templates for place in (folder, folder.parent))
    templates = inside if inside.exists() or not beside.exists() else beside
    expected, absent = _of_present_subjects(folder / LAYOUT.motion, rule)
    dataset = flat.read(LAYOUT, folder, templates, expected, tolerance_s)
    return replace(dataset, missing=dataset.missing + absent)


def read_parameters(
    folder: Path, flame: Flame, rule: str = "sentence", tolerance_s: float = TOLERANCE_S
) -> Dataset:
    """ProbTalk3D's param/ID.npy (1, T, 403) = shape 300, expression 100, jaw 3; wav/ID.wav."""

    def entry(clip: Clip) -> Entry:
        motion, sound = folder / "param" / f"{clip.id}.npy", folder / "wav" / f"{clip.id}.wav"

        def open_both() -> tuple[Track, Voice]:
            return _made_by(flame, parameters.open_npy(motion)), open_sound(sound)

        return Entry(clip, (motion, sound), open_both)

    expected, absent = _of_present_subjects(folder / "param", rule)
    found = sort_out(folder, map(entry, expected), tolerance_s)
    return _dataset("mead-parameters", flame, found, absent)


def read_emote(
    folder: Path, flame: Flame, sounds: Path, rule: str = "identity",
    tolerance_s: float = TOLERANCE_S,
) -> Dataset:
    """EMOTE's reconstructions, SUBJECT/front/EMOTION/level_K/NNN/shape_pose_cam.hdf5, and the
    sounds, either in such folders as NNN.wav or flat under ProbTalk3D's names."""

    def entry(clip: Clip) -> Entry:
        motion, sound = emote.motion_path(folder, clip), sounds / f"{clip.id}.wav"
        if motion.exists():
            sound = emote.sound_path(sounds, clip)

        def open_both() -> tuple[Track, Voice]:
            return _made_by(flame, emote.open_hdf5(motion)), emote.open_sound(sound)

        return Entry(clip, (motion, sound), open_both)

    expected, absent = _of_present_subjects(folder, rule)
    found = sort_out(folder, map(entry, expected), tolerance_s)
    return _dataset("mead-emote", flame, found, absent)


def _of_present_subjects(folder: Path, rule: str) -> tuple[list[Clip], tuple[str, ...]]:
    """The expected clips of subjects by whose names files or folders begin here, and a line for
    each other subject: looking for each of 30,000 files takes long when most are not there."""
    here = {path.name.partition("_")[0] for path in folder.iterdir()} if folder.is_dir() else set()
    expected = list(clips(rule))
    absent = dict.fromkeys(clip.subject for clip in expected if clip.subject not in here)
    lines = tuple(f"{subject} (every sentence)" for subject in absent)
    return [clip for clip in expected if clip.subject in here], lines


def _made_by(flame: Flame, file: parameters.ParameterFile) -> ParameterTrack:
    return ParameterTrack(file, flame, FPS)


def _dataset(name: str, flame: Flame, found: Sorted, absent: tuple[str, ...]) -> Dataset:
    found = found._replace(missing=found.missing + absent)
    template = parameters.templates(flame, found.recordings)
    return Dataset(name, LAYOUT.topology, 1.0, TRAIN, EMOTIONS, template, *found)


def _performances() -> Iterator[tuple[int, int, int]]:
    """Emotion's number, level (from 0) and sentence (from 1) of all that a subject performed."""
    for number in range(len(EMOTIONS)):
        for level in range(3 if number else 1):
            last = (_EMOTIONAL_ENDS if number else _NEUTRAL_ENDS)[-1]
            yield from ((number, level, sentence) for sentence in range(1, last + 1))


def _by_sentence(number: int, sentence: int) -> str:
    ends = _EMOTIONAL_ENDS if number else _NEUTRAL_ENDS
    return _SPLITS[sum(sentence > end for end in ends[:2])]


def _by_identity(subject: str) -> str:
    return "train" if subject in TRAIN else "val" if subject in VAL else "test"
