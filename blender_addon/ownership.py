"""A take belongs to one face.

A copy of a face (Shift+D, Make Single User) begins with the Actions of the face it was copied from,
and so may an Action that an artist made a copy of. Before anything of ours is changed on a face,
what it shares with another is copied, and what plays on it is in its list.
"""

from collections.abc import Iterator

import bpy

from . import blender_compat, keyframes, placing

_PLACE = ("action_frame_start", "action_frame_end", "scale", "repeat", "frame_start", "frame_end")


def settle(keys: bpy.types.Key | None) -> None:
    """Give shape keys Actions of their own, and rows in the list for all takes that are on them."""
    if keys is None:
        return
    foreign = {action for other in bpy.data.shape_keys if other != keys and _in_use(other)
               for action in (*_listed(other), *_placed(other))}
    for action in list(_placed(keys)):
        if action not in set(_listed(keys)):
            _enter(keys, action, foreign)
    for action in {*_listed(keys), *_placed(keys)} & foreign:
        _exchange(keys, action, action.copy())


def _in_use(keys: bpy.types.Key) -> bool:
    """Whether an object shows these shape keys, or might: those of a deleted one linger."""
    return keys.user is not None and keys.user.users > 0


def _listed(keys: bpy.types.Key) -> Iterator[bpy.types.Action]:
    settings = keys.soliloquy
    for action in (*(take.action for take in settings.takes), settings.blinks):
        if keyframes.is_ours(action):
            yield action


def _placed(keys: bpy.types.Key) -> Iterator[bpy.types.Action]:
    """Assigned, or in an NLA strip."""
    data = keys.animation_data
    if data is None:
        return
    for action in (data.action, *(strip.action for track in data.nla_tracks
                                  for strip in track.strips)):
        if keyframes.is_ours(action):
            yield action


def _enter(keys: bpy.types.Key, action: bpy.types.Action,
           foreign: set[bpy.types.Action]) -> None:
    """A row for an action: that of the other face's which it is a copy of, else a new one."""
    settings, facts = keys.soliloquy, action[keyframes.PROVENANCE].to_dict()
    if "layer" in facts:
        settings.blinks = action
        return
    elsewhere = foreign - set(_placed(keys))
    for take in settings.takes:
        if take.action in elsewhere and take.action[keyframes.PROVENANCE].to_dict() == facts:
            take.action = action
            return
    settings.takes.add().action = action


def _exchange(keys: bpy.types.Key, old: bpy.types.Action, new: bpy.types.Action) -> None:
    settings, data = keys.soliloquy, keys.animation_data
    for take in settings.takes:
        if take.action == old:
            take.action = new
    if settings.blinks == old:
        settings.blinks = new
    for _track, strip in list(placing.strips_of(keys, old)):
        place = {name: getattr(strip, name) for name in _PLACE}
        strip.action = new
        blender_compat.set_slot(strip, new)
        for name, value in place.items():
            setattr(strip, name, value)
    if data is not None and data.action == old:
        data.action = new
        blender_compat.set_slot(data, new)
