"""What happens when the button is pressed: check, gather, and hand the job to the worker."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import bpy

from . import (
    audio_source,
    disabled_reason,
    face,
    models,
    preferences,
    properties,
    regions,
    session,
    takes,
    vertex_order,
    workplace,
)
from ._backend import errors, pack
from .job import Job, Mixing, Request
from .writing import Destination


def begin(context: bpy.types.Context) -> Destination:
    """Start the job that the panel describes; raises SoliloquyError with nothing left behind."""
    reason = disabled_reason.for_animating(context)
    if reason:
        raise errors.RequestError("not_ready", f"{reason}.")
    target = properties.chosen_face(context)
    settings = properties.performance_of(target, context.scene)
    chosen = pack.load(models.locate(context, settings.model.strip()))
    mesh = vertex_order.read(target)
    folder = Path(tempfile.mkdtemp(prefix="job-", dir=session.CURRENT.folder))
    try:
        placed = audio_source.place(context, str(folder))
        request = _request(settings, placed, chosen)
        _start(context, request, placed.mixing, mesh, chosen, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Destination(target.name, context.scene.name, placed.first_frame, placed.name,
                       _provenance(request, placed, chosen))


def cancel() -> None:
    """Ask the running job to stop."""
    if session.CURRENT.job is not None:
        session.CURRENT.job.cancel()


def abandon() -> None:
    """Drop the job without waiting: the worker is told, and its later replies are ignored."""
    cancel()
    session.CURRENT.end_job()


def _request(settings: Any, placed: audio_source.PlacedSound, chosen: pack.Pack) -> Request:
    return Request(placed.sound, str(chosen.path), seed=settings.seed,
                   steps=settings.steps or None, style=settings.style.strip() or None,
                   takes=settings.takes)


def _start(context: bpy.types.Context, request: Request, mixing: Mixing | None,
           mesh: face.MeshArrays, chosen: pack.Pack, folder: Path) -> None:
    machine, current = preferences.machine(context), session.CURRENT
    current.job = Job(workplace.ready(context), request, lambda: face.match(mesh, chosen),
                      lambda paths, fits: takes.prepare(paths, fits, request.sound.path,
                                                        regions.read(chosen)),
                      folder, machine.silence_limit_s, mixing)


def _provenance(request: Request, placed: audio_source.PlacedSound,
                chosen: pack.Pack) -> dict[str, Any]:
    """What it takes to make the same motion again; stored on the Action."""
    manifest, sound = chosen.manifest, request.sound
    return {"model": manifest.name, "model_sha256": chosen.fingerprint,
            "steps": request.steps or manifest.sampler.steps,
            "style": request.style or manifest.styles[0], "sound": placed.name,
            "start_s": sound.start_s, "duration_s": sound.duration_s or 0.0,
            "speed": sound.speed, "volume": sound.volume}
