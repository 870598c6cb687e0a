"""Emotions painted over the sound: coloured strips in the Video Sequencer.

A range is a Color strip, so it is selected, moved, trimmed, copied and cut as any strip. Its strip
is muted for good: Blender renders what the sequencer shows instead of the scene as soon as one
strip with a picture is not muted. `use` is what switches a range off.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import bpy

from . import blender_compat, emotion_ranges, models, properties, strips
from ._backend import emotions
from .emotion_ranges import Range

CHANNEL = "Emotions"
_MOST_CHANNEL = 128
# Whether a change shows at once on its strip.
_drawn = True


def known(context: bpy.types.Context) -> tuple[str, ...]:
    """The emotions that the chosen face's model knows."""
    settings: Any = properties.performance_of(properties.chosen_face(context), context.scene)
    return models.manners(context, settings.model.strip()).emotions


def names(_owner: Any, context: bpy.types.Context, _typed: str) -> Iterable[str]:
    """Emotions to suggest in a field."""
    return known(context)


def _show(painted: "PaintedEmotion", context: bpy.types.Context) -> None:
    if not _drawn:
        return
    found = next((strip for strip in of_scene(painted.id_data) if strip.soliloquy == painted), None)
    if found is not None:
        name_and_colour(found, _names(each for each in of_scene(painted.id_data)
                                      if each != found))


def _is_mesh(_painted: bpy.types.PropertyGroup, candidate: bpy.types.Object) -> bool:
    return bool(candidate.type == "MESH")


def _remember_face(painted: "PaintedEmotion", _context: bpy.types.Context) -> None:
    painted.face_name = painted.face.name if painted.face is not None else ""


class PaintedEmotion(bpy.types.PropertyGroup):  # type: ignore[misc]
    """Strip.soliloquy: the emotion that a strip paints; that of other strips was never set."""

    emotion: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Emotion", search=names, search_options={"SUGGESTION"}, update=_show,
        description="What is felt in this range instead of what is heard in the voice; empty: "
                    "what is heard")
    intensity: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Intensity", default=1.0, min=0.0, max=emotions.MOST_INTENSITY, step=5, update=_show,
        description="How strongly: 0 is neutral, 1 as strong as it was learnt, more exaggerates")
    other: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Blend With", search=names, search_options={"SUGGESTION"}, update=_show,
        description="A second emotion, of which there is a share; empty: no blend")
    share: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Share", default=0.5, min=0.0, max=1.0, subtype="FACTOR", update=_show,
        description="How much of the second emotion there is: 0 is all the first, 1 all the second")
    fade_s: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Cross-Fade", default=emotions.FADE_S, min=0.0, max=10.0, soft_max=2.0, precision=2,
        subtype="TIME_ABSOLUTE",
        description="Seconds in which the face goes over to this emotion and from it, half of them "
                    "before the range's end")
    face: bpy.props.PointerProperty(  # type: ignore[valid-type]
        name="Face", type=bpy.types.Object, poll=_is_mesh, update=_remember_face,
        description="The face that feels this; empty: whoever speaks here")
    # Blender empties the pointer when the face is removed from the file.
    face_name: bpy.props.StringProperty(  # type: ignore[valid-type]
        options={"HIDDEN"}, description="The name that the face had when it was chosen")
    use: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Use", default=True, description="Whether this range counts; otherwise the voice does")


def of_scene(scene: bpy.types.Scene) -> list[Any]:
    """The strips of a scene's sequencer that paint an emotion, in order of time."""
    editor = scene.sequence_editor
    every = blender_compat.all_strips(editor) if editor is not None else []
    return sorted((strip for strip in every if is_range(strip)), key=blender_compat.left_handle)


def is_range(strip: Any) -> bool:
    """Whether a strip paints an emotion."""
    return bool(strip.type == "COLOR" and strip.soliloquy.is_property_set("emotion"))


def lost_face(strip: Any) -> str:
    """The name of the face that a range was for and that was removed from the file, or ''."""
    return "" if strip.soliloquy.face is not None else str(strip.soliloquy.face_name)


def is_for(strip: Any, face: bpy.types.Object | None) -> bool:
    """Whether a range was painted for a face, or, asked for none, for everybody."""
    return bool(strip.soliloquy.face == face and not lost_face(strip))


def is_on(scene: bpy.types.Scene, strip: Any) -> bool:
    """Whether a range counts: one that is used, names an emotion, and lies on a channel that is
    not muted."""
    channel = _holder(scene.sequence_editor, strip).channels[strip.channel]
    return bool(strip.soliloquy.use and strip.soliloquy.emotion.strip() and not channel.mute)


def chosen(scene: bpy.types.Scene) -> list[Any]:
    """The ranges that the artist means: the selected ones, or that under the playhead (the highest
    channel's, where several are)."""
    selected = _selected(scene)
    if selected:
        active = scene.sequence_editor.active_strip
        return sorted(selected, key=lambda strip: strip != active)
    here = [strip for strip in of_scene(scene)
            if blender_compat.left_handle(strip) <= scene.frame_current
            < blender_compat.right_handle(strip)]
    return sorted(here, key=lambda strip: -strip.channel)[:1]


def _selected(scene: bpy.types.Scene) -> list[Any]:
    """The selected ranges that the sequencer shows, and the one that was chosen in the list, which
    may lie in a closed meta strip: the others there stay selected where no one sees it."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    shown, active = _names(blender_compat.shown_strips(editor)), editor.active_strip
    return [strip for strip in of_scene(scene)
            if strip.select and (strip == active or strip.name in shown)]


def choose(scene: bpy.types.Scene, strip: Any) -> None:
    """Select one range instead of others, and no other strip differently: what is selected with
    sound is what will be spoken."""
    for other in of_scene(scene):
        other.select = other == strip
    scene.sequence_editor.active_strip = strip


def paint(scene: bpy.types.Scene, given: Range, face: bpy.types.Object | None) -> Any:
    """A new strip in a scene's sequencer, painted over others of the same face; it is chosen."""
    (strip,) = paint_lane(scene, [given], face)
    choose(scene, strip)
    return strip


def paint_lane(scene: bpy.types.Scene, lane: Sequence[Range],
               face: bpy.types.Object | None) -> list[Any]:
    """New strips, not selected, for ranges that follow each other; painted over others of the same
    face."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    first, after = round(lane[0].first), round(lane[-1].after)
    for old in of_scene(scene):
        if is_for(old, face):
            _make_room(editor, old, (first, after))
    channel, taken, made = free_channel(scene, first, after), _names(of_scene(scene)), []
    for given in lane:
        strip = _new_strip(editor, channel, round(given.first), round(given.after))
        with _undrawn():
            _fill(strip.soliloquy, given, face)
        name_and_colour(strip, taken)
        taken.add(strip.name)
        made.append(strip)
    return made


def _fill(painted: PaintedEmotion, given: Range, face: bpy.types.Object | None) -> None:
    for name in ("emotion", "intensity", "other", "share"):
        setattr(painted, name, getattr(given, name))
    painted.face = face
    if given.fade_s is not None:
        painted.fade_s = given.fade_s


@contextmanager
def _undrawn() -> Iterator[None]:
    """Properties change without a look at all other strips at each: 1,260 ranges, an hour's, took
    16 s with it and 0.3 s without."""
    global _drawn
    _drawn = False
    try:
        yield
    finally:
        _drawn = True


def _make_room(editor: bpy.types.SequenceEditor, old: Any, new: tuple[int, int]) -> None:
    frames = round(blender_compat.left_handle(old)), round(blender_compat.right_handle(old))
    left = emotion_ranges.left_of(frames, new)
    if not left:
        remove(editor, old)
    elif left != [frames]:
        blender_compat.set_handles(old, *left[0])
    for first, after in left[1:]:
        copy = _new_strip(_holder(editor, old), old.channel, first, after)
        for name in PaintedEmotion.__annotations__:
            setattr(copy.soliloquy, name, getattr(old.soliloquy, name))


def _new_strip(holder: Any, channel: int, first: int, after: int) -> Any:
    strip = blender_compat.new_colour_strip(blender_compat.top_strips(holder), CHANNEL, channel,
                                            first, after)
    strip.mute, strip.select = True, False
    return strip


def _holder(editor: bpy.types.SequenceEditor, strip: Any) -> Any:
    """The meta strip that holds a strip, or the editor."""
    return next(iter(strips.parents_of(strip, editor)), editor)


def remove(editor: bpy.types.SequenceEditor, strip: Any) -> None:
    """Remove a range, also from inside a meta strip."""
    blender_compat.top_strips(_holder(editor, strip)).remove(strip)


def remove_all(scene: bpy.types.Scene) -> None:
    """Remove every range of a scene's sequencer."""
    editor = scene.sequence_editor
    metas = [strip for strip in blender_compat.all_strips(editor) if strip.type == "META"]
    for holder in (editor, *metas):
        held = blender_compat.top_strips(holder)
        for strip in [each for each in held if is_range(each)]:
            held.remove(strip)


def sounds_beneath(scene: bpy.types.Scene) -> list[Any]:
    """What sounds under the selected ranges, each on the channel that is nearest to its range."""
    found: list[Any] = []
    for painted in _selected(scene):
        found += [strip for strip in _beneath(painted, scene.sequence_editor)
                  if strip not in found]
    return found


def _beneath(painted: Any, editor: bpy.types.SequenceEditor) -> list[Any]:
    """The nearest sound among the strips beside a range; where there is none, among those beside
    the meta strip that holds it."""
    metas = strips.parents_of(painted, editor)
    for strip, holder in zip((painted, *metas), (*metas, editor), strict=True):
        here = [other for other in blender_compat.top_strips(holder)
                if other.type in strips.SOUNDING and other != strip and _meet(other, painted)]
        if here:
            nearest = min(abs(other.channel - strip.channel) for other in here)
            return [other for other in here if abs(other.channel - strip.channel) == nearest]
    return []


def _meet(one: Any, other: Any) -> bool:
    return (blender_compat.left_handle(one) < blender_compat.right_handle(other)
            and blender_compat.left_handle(other) < blender_compat.right_handle(one))


def free_channel(scene: bpy.types.Scene, first: int, after: int) -> int:
    """The channel of earlier ranges where it is free in these frames, else the lowest free one
    above all sound; a channel without a name of its own gets one."""
    editor = scene.sequence_editor
    every = list(blender_compat.top_strips(editor))
    taken = {strip.channel for strip in every if blender_compat.left_handle(strip) < after
             and blender_compat.right_handle(strip) > first}
    above = max((strip.channel for strip in every if strip.type in strips.SOUNDING), default=0) + 1
    usual = sorted({strip.channel for strip in every if is_range(strip)})
    channel = next((each for each in (*usual, *range(above, _MOST_CHANNEL))
                    if each not in taken), _MOST_CHANNEL)
    owner = editor.channels[channel]
    if owner.name == f"Channel {channel}" and not any(s.channel == channel for s in every):
        owner.name = CHANNEL
    return channel


def _names(every: Iterable[Any]) -> set[str]:
    return {strip.name for strip in every}


def name_and_colour(strip: Any, taken: Container[str]) -> None:
    """Let a strip show what it paints, under a name that is not taken."""
    painted = strip.soliloquy
    shown = (painted.emotion.strip(), painted.intensity, painted.other.strip())
    strip.name = next(name for name in _numbered(emotion_ranges.name_of(*shown))
                      if name not in taken)
    strip.color = emotion_ranges.colour_of(*shown, painted.share)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name} ({number})" for number in count(2))


@bpy.app.handlers.persistent  # type: ignore[untyped-decorator]
def keep_muted(*_unused: object) -> None:
    """Mute ranges that were unmuted, and metas of nothing but ranges, before a file is saved or
    rendered; see the top."""
    for scene in bpy.data.scenes:
        editor = scene.sequence_editor
        every = blender_compat.all_strips(editor) if editor is not None else []
        for strip in every:
            if not strip.mute and scene.library is None and _holds_only_ranges(strip):
                strip.mute = True


def _holds_only_ranges(strip: Any) -> bool:
    """Whether a strip is a range or a meta strip of ranges: a meta strip shows a picture, too."""
    if strip.type != "META":
        return is_range(strip)
    inside = blender_compat.top_strips(strip)
    return len(inside) > 0 and all(map(_holds_only_ranges, inside))


_GUARDED = ("save_pre", "render_init")


def attach() -> None:
    """Give strips their property, and guard renders."""
    blender_compat.strip_type().soliloquy = bpy.props.PointerProperty(type=PaintedEmotion)
    for name in _GUARDED:
        getattr(bpy.app.handlers, name).append(keep_muted)


def detach() -> None:
    """Undo `attach`."""
    for name in _GUARDED:
        getattr(bpy.app.handlers, name).remove(keep_muted)
    del blender_compat.strip_type().soliloquy
