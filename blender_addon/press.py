"""What happens when the button is pressed: check, gather, and hand the job to the worker."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from . import (
    audio_source,
    disabled_reason,
    emotion_lane,
    face,
    models,
    origin,
    preferences,
    properties,
    session,
    storage,
    style_choice,
    vertex_order,
    workplace,
)
from ._backend import errors, pack
from .job import Job, Listening, Mixing, Request
from .writing import Destination

Ask = Callable[[str], tuple[Request, audio_source.PlacedSound]]


def begin(context: bpy.types.Context, emotions: str = "") -> Destination:
    """Start the job that the panel describes, with emotions as a script spells them instead of the
    painted ones; raises SoliloquyError with nothing left behind."""
    reason = disabled_reason.for_animating(context)
    if reason:
        raise errors.RequestError("not_ready", f"{reason}.")
    target = properties.chosen_face(context)
    settings = properties.performance_of(target, context.scene)
    chosen = models.opened(context, settings.model.strip())

    def ask(folder: str) -> tuple[Request, audio_source.PlacedSound]:
        placed = audio_source.place(context, folder)
        lane = (emotion_lane.spelled(emotions, chosen) if emotions else
                emotion_lane.painted(context, target, chosen, placed))
        return _request(settings, placed, chosen, lane), placed

    return begin_with(context, target, chosen, ask, storage.preparing(settings, context.scene,
                                                                      target))


def begin_with(context: bpy.types.Context, target: bpy.types.Object, chosen: pack.Pack, ask: Ask,
               preparing: storage.Preparing) -> Destination:
    """Start a job for a face and a pack; `ask` says what for and may put files into the job's
    folder, `preparing` what is made of the motion files. Raises SoliloquyError with nothing left
    behind."""
    mesh = vertex_order.read(target)
    with job_folder() as folder:
        request, placed = ask(str(folder))
        _start(context, request, placed.mixing, mesh, chosen, folder,
               preparing(request, placed, mesh, chosen))
    return Destination(target.name, context.scene.name, placed.first_frame, placed.name,
                       origin.facts(request, placed, chosen, str(folder)))


def begin_listening(context: bpy.types.Context, chosen: pack.Pack) -> audio_source.PlacedSound:
    """Start a job that tells what emotions a pack hears in the panel's sound; raises
    SoliloquyError with nothing left behind."""
    with job_folder() as folder:
        placed = audio_source.place(context, str(folder))
        session.CURRENT.job = Listening(
            workplace.ready(context), placed.sound, str(chosen.path), folder,
            preferences.machine(context).silence_limit_s, placed.mixing)
    return placed


@contextmanager
def job_folder() -> Iterator[Path]:
    """A private folder for a job, which removes it; it goes at once where no job comes about."""
    folder = session.CURRENT.new_job_folder()
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def cancel() -> None:
    """Ask the running job to stop."""
    if session.CURRENT.job is not None:
        session.CURRENT.job.cancel()


def abandon() -> None:
    """Drop the job without waiting: the worker is told, and its later replies are ignored."""
    cancel()
    session.CURRENT.end_job()


def _request(settings: Any, placed: audio_source.PlacedSound, chosen: pack.Pack,
             lane: emotion_lane.Lane) -> Request:
    return Request(placed.sound, str(chosen.path), seed=settings.seed,
                   steps=settings.steps or None, takes=settings.takes, emotions=lane,
                   style=style_choice.wish(settings, chosen.manifest.styles),
                   neutral=_with_neutral(settings, chosen))


def _with_neutral(settings: Any, chosen: pack.Pack) -> bool:
    """Whether the emotion's strength is to have a slider, which acts on compact keys alone."""
    return bool(chosen.manifest.emotions and settings.emotion_slider
                and settings.storage == "COMPACT")


def _start(context: bpy.types.Context, request: Request, mixing: Mixing | None,
           mesh: face.MeshArrays, chosen: pack.Pack, folder: Path,
           prepare: storage.Prepare) -> None:
    machine, current = preferences.machine(context), session.CURRENT
    current.job = Job(workplace.ready(context), request, lambda: face.match(mesh, chosen), prepare,
                      folder, machine.silence_limit_s, mixing)
