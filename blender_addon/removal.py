"""Taking away what Soliloquy made on a face, and only that: what the artist added to an Action of
ours stays, and so does every key, Action and track that is not ours."""

import re

import bpy

from . import blender_compat, blink_layer, keyframes, placing, result, shape_keys

_OURS = re.compile(rf"{shape_keys.KEY_PREFIX}( \d+)? (lower|upper|frame) \d+")


def take(face: bpy.types.Object, action: bpy.types.Action) -> None:
    """Remove one take: its Action, its strips, and the shape keys that no other take uses."""
    keys = face.data.shape_keys
    names = set(keyframes.key_names(action))
    _remove_action(keys, action)
    _forget(keys)
    _remove_keys(face, names - _used(keys))


def all_of(face: bpy.types.Object) -> None:
    """Remove every take and the blinks; a mesh that had no shape keys has none again."""
    keys = face.data.shape_keys
    blink_layer.remove(face)
    for action in list(result.actions(keys)):
        _remove_action(keys, action)
    result.forget_all(keys)
    _remove_keys(face, {key.name for key in keys.key_blocks if _OURS.fullmatch(key.name)})
    _remove_empty_data(keys)
    if shape_keys.MADE_BASIS in keys and len(keys.key_blocks) == 1:
        face.shape_key_clear()


def _remove_action(keys: bpy.types.Key, action: bpy.types.Action) -> None:
    if keyframes.only_ours(action):
        placing.remove_strips(keys, action)
        bpy.data.actions.remove(action)
        return
    for holder in blender_compat.holders_of(action):
        for curve in [*holder.fcurves]:
            if curve in keyframes.our_curves(action):
                holder.fcurves.remove(curve)
    del action[keyframes.PROVENANCE]


def _forget(keys: bpy.types.Key) -> None:
    """Drop the list's rows whose action is gone."""
    settings = keys.soliloquy
    for index in reversed(range(len(settings.takes))):
        if not keyframes.is_ours(settings.takes[index].action):
            settings.takes.remove(index)
    settings.chosen = max(0, min(settings.chosen, len(settings.takes) - 1))


def _used(keys: bpy.types.Key) -> set[str]:
    return {name for action in result.actions(keys) for name in keyframes.key_names(action)}


def _remove_keys(face: bpy.types.Object, names: set[str]) -> None:
    blocks = face.data.shape_keys.key_blocks
    for key in [key for key in blocks if key.name in names]:
        face.shape_key_remove(key)


def _remove_empty_data(keys: bpy.types.Key) -> None:
    data = keys.animation_data
    if data is not None and not (data.action or data.nla_tracks or data.drivers):
        keys.animation_data_clear()
