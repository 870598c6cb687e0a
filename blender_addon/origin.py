"""What a take was made from: written on its Action, and read back to make it again."""

import json
import os
from dataclasses import asdict
from typing import Any

import bpy

from . import models
from ._backend import errors, messages, pack
from .audio_source import PlacedSound
from .job import Request, Sound

_NEVER_STORED = ("sound", "pack_path", "redo")
_AGAIN = "Select its strips and press Animate from Audio."


def facts(request: Request, placed: PlacedSound, chosen: pack.Pack,
          folder: str) -> dict[str, Any]:
    """What it takes to make the same motion again. A sound that was mixed or unpacked for the job
    is gone with the job's `folder`, and gets no path."""
    manifest, sound = chosen.manifest, request.sound
    return {"model": manifest.name, "model_sha256": chosen.fingerprint,
            "model_path": str(chosen.path), "request": wishes(request),
            "steps": request.steps or manifest.sampler.steps,
            "style": request.style or manifest.styles[0], "sound": placed.name,
            "sound_path": "" if sound.path.startswith(folder) else sound.path,
            "placed_at": placed.first_frame, "start_s": sound.start_s,
            "duration_s": sound.duration_s or 0.0, "speed": sound.speed, "volume": sound.volume}


def wishes(request: Request) -> str:
    """A request without its sound and its model, as text."""
    return json.dumps({name: value for name, value in asdict(request).items()
                       if name not in _NEVER_STORED})


def why_not_again(stored: Any) -> str:
    """Why a take with these facts cannot be made again, or ''; looks at no file."""
    if "request" not in stored:
        return "This take does not say what it was made from"
    if not stored["sound_path"]:
        return "Its sound was mixed for it: select the strips and press Animate from Audio"
    return ""


def restored(stored: Any, chosen: pack.Pack) -> tuple[Request, PlacedSound]:
    """The request that made a take, and where its sound lies; raises AudioError when the file is
    gone."""
    if not os.path.isfile(stored["sound_path"]):
        raise errors.AudioError("audio_missing", f"The sound '{stored['sound_path']}' is gone.",
                                _AGAIN)
    sound = Sound(stored["sound_path"], stored["start_s"], stored["duration_s"] or None,
                  stored["speed"], stored["volume"])
    fields = json.loads(stored["request"])
    lane = tuple(messages.EmotionSpan(**span) for span in fields.pop("emotions", ()))
    request = Request(sound, str(chosen.path), emotions=lane, **fields)
    return request, PlacedSound(sound, stored["sound"], stored["placed_at"])


def pack_of(context: bpy.types.Context, stored: Any) -> pack.Pack:
    """The pack that made a take, wherever it is installed now; raises PackError when it is not, or
    has changed since."""
    for name in (stored["model"], stored["model_path"]):
        try:
            found = models.opened(context, name)
        except errors.PackError:
            continue
        if found.fingerprint == stored["model_sha256"]:
            return found
    raise errors.PackError("pack_gone", f"The model '{stored['model']}' that made this take is not "
                           "installed, or is another version.", "Install it, or press Animate from "
                           "Audio to use another.")
