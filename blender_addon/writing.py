"""Finished takes -> shape keys and an Action on the face, all of it or nothing."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from . import audio_source, disabled_reason, keyframes, shape_keys, takes, timeline
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
    """Add every take to the face, the first one playing and the others muted; raises FaceGone when
    the face cannot be written any more. On any error the scene is as it was."""
    face, scene = _find(where)
    with ExitStack() as undo:
        for take in reversed(made):
            _write(face, scene, take, where, undo)
        undo.pop_all()


class FaceGone(errors.SoliloquyError):
    """The face was renamed, deleted or changed while its motion was being made."""


def _find(where: Destination) -> tuple[bpy.types.Object, bpy.types.Scene]:
    face, scene = bpy.data.objects.get(where.face), bpy.data.scenes.get(where.scene)
    if face is None or scene is None:
        raise FaceGone("face_gone", f"'{where.face}' was renamed or deleted during the job.",
                       "Choose the face and press again.")
    reason = disabled_reason.for_face(face)
    if reason:
        raise FaceGone("face_changed", f"{reason}.", "Then press again.")
    return face, scene


def _write(face: bpy.types.Object, scene: bpy.types.Scene, take: takes.Take, where: Destination,
           undo: ExitStack) -> None:
    if take.shapes.shape[1] != len(face.data.vertices):
        raise FaceGone("face_changed", f"'{face.name}' has {len(face.data.vertices)} vertices now, "
                       f"{take.shapes.shape[1]} before.", "Press again.")
    fps = audio_source.scene_fps(scene)
    first = timeline.first_key_frame_up(where.first_frame)
    count = motion.frame_count(take.audio_seconds, fps)
    frames = np.arange(first, first + count)
    values = takes.values_at(take, (frames - where.first_frame) / fps)
    fade = timeline.fade_frames_nearest(fps)
    active, basis = face.active_shape_key_index, face.data.shape_keys
    names = shape_keys.add_keys(face, take.shapes, undo)
    if basis is not None:
        face.active_shape_key_index = active
    keys = face.data.shape_keys
    keyframes.mute_takes_within(keys, first - fade, first + count - 1 + fade, undo)
    action = keyframes.new_action(
        f"Soliloquy {where.sound_name} {take.seed}", names, first, values, fade,
        {**where.provenance, "seed": take.seed, "audio_sha256": take.audio_sha256,
         "error_mm": take.error_m * 1000, "first_frame": first, "last_frame": first + count - 1,
         "fade_frames": fade})
    undo.callback(bpy.data.actions.remove, action)
    keyframes.place(keys, action, undo)
