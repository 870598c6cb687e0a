"""Finished takes -> shape keys and an Action on the face, all of it or nothing."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from . import (
    audio_source,
    disabled_reason,
    keyframes,
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


def write_all(made: list[takes.Take], where: Destination) -> None:
    """Add every take to the face and let the first one play; raises FaceGone when the face cannot
    be written any more. On any error the scene is as it was."""
    face, scene = _find(where)
    _check(face, made)
    with ExitStack() as undo:
        names: dict[int, list[tuple[str, str]]] = {}
        for take in made:
            if id(take.shapes) not in names:
                names[id(take.shapes)] = _add_keys(face, take, undo)
        actions = [_new_action(scene, take, names[id(take.shapes)], where, undo) for take in made]
        _play_first(face.data.shape_keys, actions, undo)
        if made[0].blink is not None:
            result.store_blink(face.data.shape_keys, made[0].blink)
        undo.pop_all()


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


def _check(face: bpy.types.Object, made: list[takes.Take]) -> None:
    for take in made:
        if take.shapes.shape[1] != len(face.data.vertices):
            raise FaceGone("face_changed", f"'{face.name}' has {len(face.data.vertices)} vertices "
                           f"now, {take.shapes.shape[1]} before.", "Press again.")


def _add_keys(face: bpy.types.Object, take: takes.Take,
              undo: ExitStack) -> list[tuple[str, str]]:
    """Add a take's shape keys; returns name and channel group of each."""
    active, basis = face.active_shape_key_index, face.data.shape_keys
    names = shape_keys.add_keys(face, {"lower": take.shapes[:take.lower],
                                       "upper": take.shapes[take.lower:]}, undo)
    if basis is not None:
        face.active_shape_key_index = active
    return [(name, group) for kind, group in (("lower", keyframes.LOWER),
                                              ("upper", keyframes.UPPER)) for name in names[kind]]


def _new_action(scene: bpy.types.Scene, take: takes.Take, columns: list[tuple[str, str]],
                where: Destination, undo: ExitStack) -> bpy.types.Action:
    fps = audio_source.scene_fps(scene)
    first = timeline.first_key_frame_up(where.first_frame)
    count = motion.frame_count(take.audio_seconds, fps)
    frames = np.arange(first, first + count)
    values = takes.values_at(take, (frames - where.first_frame) / fps)
    fade = timeline.fade_frames_nearest(fps)
    action = keyframes.new_action(
        f"Soliloquy {where.sound_name} {take.seed}", columns,
        *keyframes.with_rest(frames, values, fade),
        {**where.provenance, "seed": take.seed, "audio_sha256": take.audio_sha256,
         "error_mm": take.error_m * 1000, "audio_seconds": take.audio_seconds,
         "first_frame": first, "last_frame": first + count - 1, "fade_frames": fade})
    undo.callback(bpy.data.actions.remove, action)
    if take.codes is not None:
        result.store_codes(action, take.codes)
    return action


def _play_first(keys: bpy.types.Key, actions: list[bpy.types.Action], undo: ExitStack) -> None:
    first, last = actions[0].frame_range
    placing.switch_off_within(keys, first, last, undo)
    placing.switch_on(keys, actions[0], undo)
    for action in actions:
        result.add(keys, action, undo)
    result.choose(keys, actions[0])
