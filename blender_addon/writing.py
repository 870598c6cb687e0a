"""Finished takes -> shape keys and an Action on the face, all of it or nothing."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import (
    audio_source,
    caches,
    disabled_reason,
    emotion_strength,
    exact,
    keyframes,
    ownership,
    placing,
    result,
    shape_keys,
    takes,
    timeline,
)
from ._backend import errors, motion


@dataclass(frozen=True)
class Destination:
    """Where takes go, by name: Blender may move its data while a job runs."""

    face: str
    scene: str
    first_frame: float
    sound_name: str
    provenance: Mapping[str, Any]
    instead_of: str = ""  # the take whose place the first one takes


def write_all(made: Sequence[takes.Take | exact.Frames | exact.Cache],
              where: Destination) -> None:
    """Add every take to the face and let the first one play; raises FaceGone when the face cannot
    be written any more. On any error the scene is as it was."""
    face, scene = _find(where)
    placed = Placed(where, audio_source.scene_fps(scene))
    with ExitStack() as undo:
        compact = [take for take in made if isinstance(take, takes.Take)]
        frames = [take for take in made if isinstance(take, exact.Frames)]
        stacks = [take for take in made if isinstance(take, exact.Cache)]
        if compact or frames:
            ownership.settle(face.data.shape_keys)
            caches.hide_within(face, placed.facts([*compact, *frames][0]), undo)
            actions = [*_compact(face, compact, placed, undo),
                       *(_frames(face, take, placed, undo) for take in frames)]
            _play_first(face.data.shape_keys, actions, bpy.data.actions.get(where.instead_of), undo)
        if compact and compact[0].blink is not None:
            result.store_blink(face.data.shape_keys, compact[0].blink)
        if stacks and face.data.shape_keys is not None:
            _silence_line(face.data.shape_keys, placed.facts(stacks[0]), undo)
        for take in reversed(stacks):
            _check(face, take.vertex_count)
            caches.add(face, take, placed.facts(take), undo)
        undo.pop_all()


@dataclass(frozen=True)
class Placed:
    """A destination in a scene of `fps`."""

    where: Destination
    fps: float

    @property
    def first(self) -> int:
        """The first frame of the scene with sound."""
        return timeline.first_key_frame_up(self.where.first_frame)

    @property
    def fade(self) -> int:
        """Frames from rest to the line and back."""
        return timeline.fade_frames_nearest(self.fps)

    def frames(self, audio_seconds: float) -> npt.NDArray[np.int64]:
        """The frames (N,) of the scene that the sound lasts."""
        return np.arange(self.first, self.first + motion.frame_count(audio_seconds, self.fps))

    def facts(self, take: Any) -> dict[str, Any]:
        """Where a take came from and where it lies."""
        last = int(self.frames(take.audio_seconds)[-1])
        return {**self.where.provenance, "seed": take.seed, "audio_sha256": take.audio_sha256,
                "error_mm": take.error_m * 1000, "audio_seconds": take.audio_seconds,
                "fps": self.fps, "first_frame": self.first, "last_frame": last,
                "fade_frames": self.fade}


class FaceGone(errors.SoliloquyError):
    """The face was renamed, deleted or changed while its motion was being made."""


def face_of(where: Destination) -> bpy.types.Object:
    """The face a job was for; raises FaceGone when it cannot be written any more."""
    return _find(where)[0]


def _find(where: Destination) -> tuple[bpy.types.Object, bpy.types.Scene]:
    face, scene = bpy.data.objects.get(where.face), bpy.data.scenes.get(where.scene)
    if face is None or scene is None:
        raise FaceGone("face_gone", f"'{where.face}' was renamed or deleted during the job.",
                       "Choose the face and press again.")
    reason = disabled_reason.for_face(face)
    if reason:
        raise FaceGone("face_changed", f"{reason}.", "Then press again.")
    return face, scene


def _check(face: bpy.types.Object, vertex_count: int) -> None:
    if vertex_count != len(face.data.vertices):
        raise FaceGone("face_changed", f"'{face.name}' has {len(face.data.vertices)} vertices now, "
                       f"{vertex_count} before.", "Press again.")


def _compact(face: bpy.types.Object, made: list[takes.Take], placed: Placed,
             undo: ExitStack) -> list[bpy.types.Action]:
    """Takes on few shape keys, which takes of a press share."""
    columns: dict[int, list[tuple[str, str]]] = {}
    actions = []
    for take in made:
        _check(face, take.shapes.shape[1])
        if id(take.shapes) not in columns:
            columns[id(take.shapes)] = _add_keys(face, take, undo)
        actions.append(_new_action(take, columns[id(take.shapes)], placed, undo))
    return actions


def _add_keys(face: bpy.types.Object, take: takes.Take,
              undo: ExitStack) -> list[tuple[str, str]]:
    """Add a take's shape keys; returns name and channel group of each."""
    names = shape_keys.add_keys(face, {"lower": take.shapes[:take.lower],
                                       "upper": take.shapes[take.lower:]}, undo)
    return [(name, group) for kind, group in (("lower", keyframes.LOWER),
                                              ("upper", keyframes.UPPER)) for name in names[kind]]


def _new_action(take: takes.Take, columns: list[tuple[str, str]], placed: Placed,
                undo: ExitStack) -> bpy.types.Action:
    frames = placed.frames(take.audio_seconds)
    seconds = (frames - placed.where.first_frame) / placed.fps
    values = takes.values_at(take, seconds)
    action = keyframes.new_action(
        f"Soliloquy {placed.where.sound_name} {take.seed}", columns,
        *keyframes.with_rest(frames, values, placed.fade), placed.facts(take))
    undo.callback(bpy.data.actions.remove, action)
    if take.codes is not None:
        result.store_codes(action, take.codes)
    if take.neutral is not None:
        difference = replace(take, values=take.values - take.neutral)
        emotion_strength.store(action, [keyframes.data_path(name) for name, _group in columns],
                               *keyframes.with_rest(frames, takes.values_at(difference, seconds),
                                                    placed.fade))
    return action


def _frames(face: bpy.types.Object, take: exact.Frames, placed: Placed,
            undo: ExitStack) -> bpy.types.Action:
    """A take with a shape key per frame, each with three keyframes."""
    _check(face, take.shapes.shape[1])
    names = shape_keys.add_keys(face, {"frame": take.shapes}, undo)["frame"]
    frames = placed.frames(take.audio_seconds)
    before = [frames[0] - placed.fade, *frames[:-1]]
    after = [*frames[1:], frames[-1] + placed.fade]
    points = [np.array([[start, 0.0], [frame, 1.0], [end, 0.0]], dtype=np.float32)
              for start, frame, end in zip(before, frames, after, strict=True)]
    action = keyframes.new_sparse_action(
        f"Soliloquy {placed.where.sound_name} {take.seed}", names, keyframes.WHOLE, points,
        placed.facts(take))
    undo.callback(bpy.data.actions.remove, action)
    return action


def _silence_line(keys: bpy.types.Key, facts: dict[str, Any], undo: ExitStack) -> None:
    """Switch off the takes of the line that a point cache with these facts is of."""
    ownership.settle(keys)
    fade = facts["fade_frames"]
    placing.switch_off_within(keys, facts["first_frame"] - fade, facts["last_frame"] + fade, undo)


def _play_first(keys: bpy.types.Key, actions: list[bpy.types.Action],
                instead_of: bpy.types.Action | None, undo: ExitStack) -> None:
    first, last = placing.place(keys, instead_of or actions[0])
    placing.switch_off_within(keys, first, last, undo)
    placing.switch_on(keys, actions[0], undo, instead_of)
    for action in actions:
        result.add(keys, action, undo)
    result.choose(keys, actions[0])
