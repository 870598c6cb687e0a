"""A sound file as the mono samples that speech encoders hear.

Read in blocks, so that an hour of 48 kHz stereo never lies in memory at once.
"""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from . import sound_kinds
from .errors import AudioError, RequestError

Floats = npt.NDArray[np.float32]
OnBlock = Callable[[int, int], None]

SILENCE_DBFS = -60.0
_BLOCK_S = 10
_FORMATS = "WAV, FLAC, OGG or MP3"
# An MP3 that does not say how long it is gets an estimate; this much less is still the whole file.
_MP3_SLACK_S = 1.0
# A WAV whose header says a little more than there is was written carelessly, not cut off.
_WAV_SLACK_S = 0.1
# What programs that write a WAV into a pipe say of its bytes, not knowing how many will come.
_UNTOLD = (range(1), range(2**31 - 2**16, 2**31 + 1), range(2**32 - 2**16, 2**32))
_MOST_CHUNKS = 1000
# A start that frames were turned into seconds for may lie this much before 0.
_ROUNDING_S = 1e-6
_MOST_S = 1e9  # refuses infinity


@dataclass(frozen=True)
class Span:
    """The part of a file to hear: seconds of the file before speed is applied, speed and volume as
    factors; the part ends with the file where duration_s is None or too long."""

    start_s: float = 0.0
    duration_s: float | None = None
    speed: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True)
class Sound:
    """`samples` (N,) float32 in [-1, 1] at `rate_hz`; `seconds` is counted in the file's own
    samples, so it is exact."""

    samples: Floats
    rate_hz: int
    seconds: float


WHOLE = Span()


def load(path: str | os.PathLike[str], rate_hz: int = 16000, span: Span = WHOLE,
         on_block: OnBlock | None = None) -> Sound:
    """A WAV, FLAC, OGG or MP3 file of any rate and channels as mono at rate_hz; `on_block(done,
    total)` runs per block and may raise Cancelled. Raises AudioError when the file is missing,
    empty, silent, damaged or no audio, RequestError on an impossible span."""
    _check_span(span)
    _check_readable(Path(path))
    try:
        with soundfile.SoundFile(os.fspath(path)) as file:
            return _read(file, str(path), rate_hz, span, on_block)
    except soundfile.SoundFileError as problem:
        raise AudioError("audio_damaged", f"'{path}' is damaged or of a kind that cannot be read: "
                         f"{_reason(problem)}.", f"Save it again as {_FORMATS}.") from problem


def _read(file: soundfile.SoundFile, path: str, rate_hz: int, span: Span,
          on_block: OnBlock | None) -> Sound:
    """The span of an open file, block by block through one resampler."""
    first, count = _place(file, path, span)
    source_rate_hz = file.samplerate * span.speed
    same_rate = source_rate_hz == rate_hz
    stream = None if same_rate else soxr.ResampleStream(source_rate_hz, rate_hz, 1)
    file.seek(min(first, file.frames))
    parts: list[Floats] = []
    done = 0
    for block in _mono_blocks(file, path, count):
        done += len(block)
        block = np.clip(block * np.float32(span.volume), -1, 1)
        parts.append(np.clip(stream.resample_chunk(block), -1, 1) if stream else block)
        if on_block:
            on_block(done, count)
    _check_complete(file, path, done, count)
    if stream:
        rest = stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
        parts.append(np.clip(rest, -1, 1))
    _check_loudness(parts, path)
    return Sound(np.concatenate(parts), rate_hz, done / source_rate_hz)


def _place(file: soundfile.SoundFile, path: str, span: Span) -> tuple[int, int]:
    """First sample and number of samples of the span in the file."""
    if file.frames <= 0:
        raise AudioError("audio_empty", f"'{path}' has no sound in it: 0 samples.",
                         "Choose another file.")
    first, frames = round(span.start_s * file.samplerate), _frames_told(file, path)
    left = frames - first
    wanted = left if span.duration_s is None else round(span.duration_s * file.samplerate)
    if wanted == 0:
        raise RequestError("bad_span", f"The part of '{path}' lasts {span.duration_s:g} s, which "
                           "is no sample of it.", "Choose a longer part.")
    if left <= 0:
        raise RequestError("bad_span", f"The part from {span.start_s:g} s is outside '{path}', "
                           f"which has {frames / file.samplerate:.2f} s.",
                           "Choose a part inside the sound.")
    return first, min(left, wanted)


def _frames_told(file: soundfile.SoundFile, path: str) -> int:
    """How many samples a file says it has; of a WAV libsndfile tells those that are there."""
    sizes = _wav_sizes(path) if file.format in ("WAV", "WAVEX") else None
    if sizes is None or any(sizes.told in untold for untold in _UNTOLD):
        return int(file.frames)
    frames = round(file.frames * sizes.told / max(1, sizes.there))
    cut = frames - file.frames > _WAV_SLACK_S * file.samplerate
    return frames if cut else int(file.frames)


class _WavSizes(NamedTuple):
    """Bytes of samples that a WAV says it has, and bytes that there are."""

    told: int
    there: int


def _wav_sizes(path: str) -> _WavSizes | None:
    """Those of a RIFF file's data chunk; None where there is none."""
    with open(path, "rb") as file:
        little = file.read(12)[:4] == b"RIFF"
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            size = int.from_bytes(head[4:], "little" if little else "big")
            if head[:4] == b"data":
                return _WavSizes(size, os.fstat(file.fileno()).st_size - file.tell())
            file.seek(size + size % 2, os.SEEK_CUR)
    return None


def _mono_blocks(file: soundfile.SoundFile, path: str, count: int) -> Iterator[Floats]:
    """The next `count` samples as the mean of the channels; raises AudioError on NaN."""
    while count > 0:
        block = file.read(min(count, _BLOCK_S * file.samplerate), dtype="float32", always_2d=True)
        if len(block) == 0:
            return
        if not np.isfinite(block).all():
            raise AudioError("audio_not_finite", f"'{path}' holds samples that are no numbers (NaN "
                             "or infinite).", "Export the sound again.")
        count -= len(block)
        yield block.mean(axis=1, dtype=np.float32)


def _check_complete(file: soundfile.SoundFile, path: str, done: int, count: int) -> None:
    """Refuse a file that ends before it said it would."""
    slack = _MP3_SLACK_S * file.samplerate if file.format == "MP3" else 0
    if done == 0 or done < count - slack:
        raise AudioError("audio_damaged", f"'{path}' breaks off after {done / file.samplerate:.2f} "
                         f"s of {count / file.samplerate:.2f} s.", "Save or copy the sound again.")


def _check_loudness(parts: list[Floats], path: str) -> None:
    """Refuse what is silent throughout; pauses are welcome."""
    peak = max(float(np.abs(part).max(initial=0)) for part in parts)
    if peak < 10 ** (SILENCE_DBFS / 20):
        level = f"its peak is {20 * math.log10(peak):.0f} dBFS" if peak else "all samples are 0"
        raise AudioError("audio_silent", f"'{path}' is silent: {level}.",
                         "Choose a part with speech, or raise the volume.")


def _check_span(span: Span) -> None:
    limits = {"start": (span.start_s, -_ROUNDING_S, _MOST_S), "speed": (span.speed, 0.1, 10.0),
              "volume": (span.volume, 0.0, 1000.0),
              "duration": (1.0 if span.duration_s is None else span.duration_s, 0.0, _MOST_S)}
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise RequestError("bad_span", f"The sound's {name} is {value:g}.",
                               "Choose 0 seconds or more." if high == _MOST_S else
                               f"It must lie within {low:g} and {high:g}.")


def _check_readable(path: Path) -> None:
    """Say plainly what the audio library would call a system error."""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise AudioError("audio_missing", f"The sound '{path}' cannot be opened: {reason}.",
                         "Choose a sound file that exists.") from problem
    if not start:
        raise AudioError("audio_empty", f"'{path}' has no sound in it: 0 bytes.",
                         "Choose another file.")
    # Looked at here because the MP3 decoder talks to stderr about every file that is none.
    if not sound_kinds.may_be_sound(start):
        raise AudioError("audio_unknown", f"'{path}' is no sound file.", f"Use {_FORMATS}.")


def _reason(problem: Exception) -> str:
    """What libsndfile says, without its repetition of the path."""
    text = str(getattr(problem, "error_string", problem))
    return text.removeprefix("Error : ").strip().rstrip(".")
