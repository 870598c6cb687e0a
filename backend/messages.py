"""What Blender and the worker say to each other: one JSON object a line, one dataclass each.

Blender sends Generate, Listen, Cancel and Shutdown; the worker answers Hello once, then Progress
while a job runs and Done, Heard or Failed when it ends.
"""

import json
from dataclasses import dataclass
from typing import Any

from . import typed_json
from .errors import MessageError

PROTOCOL = 1
STAGES = ("load", "listen", "imagine", "decode", "write")


@dataclass(frozen=True)
class PackInfo:
    """A pack the worker can see, as its manifest describes it."""

    name: str
    path: str
    method: str
    topology: str
    vertex_count: int
    fps: float
    styles: tuple[str, ...]
    emotions: tuple[str, ...]


@dataclass(frozen=True)
class Hello:
    """The worker is up: its versions, the device in use with the reason, and the packs."""

    protocol: int
    version: str
    device: str
    device_note: str
    packs: tuple[PackInfo, ...]


@dataclass(frozen=True)
class EmotionSpan:
    """An emotion at an intensity of 0..1.5 from start_s to end_s (None: the sound's edge), counted
    in seconds of the animation; it comes and goes within fade_s (None: the usual time), and is
    `weight`, 0..1, of what is felt: the rest is another's, or the voice's own."""

    name: str
    intensity: float = 1.0
    start_s: float | None = None
    end_s: float | None = None
    fade_s: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Redo:
    """Make [start_s, end_s) of the motion file `motion` again, counted from its first frame, and
    keep the rest."""

    motion: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Generate:
    """Animate [start_s, start_s + duration_s] of a sound file; take k uses seed + k.

    `audio` and `out_dir` are paths, `pack` a name or a path; `style` is a name or a blend such as
    "Even:0.7,Crisp:0.3"; `speed` 2 plays twice as fast; `redo` asks for a part of a motion that
    this pack made of this sound; `neutral` asks for each take without emotion as well; None asks
    for the pack's own default (or the file's end).
    """

    id: str
    audio: str
    pack: str
    out_dir: str
    seed: int = 0
    steps: int | None = None
    style: str | None = None
    takes: int = 1
    start_s: float = 0.0
    duration_s: float | None = None
    speed: float = 1.0
    volume: float = 1.0
    emotions: tuple[EmotionSpan, ...] = ()
    redo: Redo | None = None
    neutral: bool = False


@dataclass(frozen=True)
class Listen:
    """Tell what emotions the model of `pack` hears in a part of a sound file, given as in Generate.
    """

    id: str
    audio: str
    pack: str
    start_s: float = 0.0
    duration_s: float | None = None
    speed: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True)
class Cancel:
    """Stop the job `id`, running or waiting; the worker answers Failed with code 'cancelled'."""

    id: str


@dataclass(frozen=True)
class Shutdown:
    """End the worker, stopping any job."""


@dataclass(frozen=True)
class Progress:
    """Job `id` has done `done` of `total` parts of `stage` (one of STAGES)."""

    id: str
    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Done:
    """Job `id` ended well: one motion.npz per take, then the neutral ones if they were asked for;
    wall seconds in all and per stage."""

    id: str
    paths: tuple[str, ...]
    seconds: float
    timings: dict[str, float]


@dataclass(frozen=True)
class Heard:
    """Job `id` ended well: what is heard, as a lane without gaps."""

    id: str
    emotions: tuple[EmotionSpan, ...]


@dataclass(frozen=True)
class Failed:
    """Job `id` ended badly ('' when the line named no job); code, message and hint as in errors."""

    id: str
    code: str
    message: str
    hint: str = ""


Message = Hello | Generate | Listen | Cancel | Shutdown | Progress | Done | Heard | Failed
_TYPES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Hello, Generate, Listen, Cancel, Shutdown, Progress, Done,
                                     Heard, Failed)
}


def encode(message: Message) -> str:
    """The message as one line of ASCII JSON, without the line end.

    ASCII, so that a pipe opened with a local code page cannot break a path."""
    fields = {"type": type(message).__name__, **typed_json.plain(message)}
    return json.dumps(fields, allow_nan=False)


def decode(line: str) -> Message:
    """The message in one line; raises MessageError naming what is wrong with it."""
    try:
        fields = typed_json.loads(line)
        kind = fields.pop("type") if isinstance(fields, dict) and "type" in fields else None
        if not isinstance(kind, str) or kind not in _TYPES:
            raise ValueError(f"unknown message type {kind!r}")
        message: Message = typed_json.parse(_TYPES[kind], fields)
    except ValueError as problem:
        raise MessageError("bad_message", f"The line is not a message: {problem}.",
                           "Use the add-on and the worker of the same release.") from problem
    return message


def request_id(line: str) -> str:
    """The job id in a line that may be no valid message, or ''; lets a refusal reach its job."""
    try:
        fields = typed_json.loads(line)
    except ValueError:
        return ""
    name = fields.get("id", "") if isinstance(fields, dict) else ""
    return name if isinstance(name, str) else ""
