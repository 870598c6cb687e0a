"""The sub-panel for styles and painted emotions."""

from typing import Any

import bpy

from . import (
    blender_compat,
    emotion_operators,
    emotion_strips,
    properties,
    result,
    style_choice,
)
from .sub_panel import SubPanel, split
from .words import translated
from .wrapping import draw_wrapped


def _position(settings: "EmotionList") -> int:
    scene = settings.id_data
    found = emotion_strips.chosen(scene)[:1]
    every = list(blender_compat.all_strips(scene.sequence_editor)) if found else []
    return every.index(found[0]) if found else -1


def _choose(settings: "EmotionList", position: int) -> None:
    scene = settings.id_data
    every = list(blender_compat.all_strips(scene.sequence_editor))
    if 0 <= position < len(every) and emotion_strips.is_range(every[position]):
        emotion_strips.choose(scene, every[position])


class EmotionList(bpy.types.PropertyGroup):  # type: ignore[misc]
    """Scene.soliloquy_emotions: which range the panel is about, by its place among all strips."""

    active: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Emotion Range", get=_position, set=_choose,
        description="The range that is selected, or under the playhead")


class SOLILOQUY_UL_emotions(bpy.types.UIList):  # type: ignore[misc] # noqa: N801
    """Colour, emotion, frames and intensity."""

    def draw_item(self, _context: Any, layout: Any, _data: Any, strip: Any, _icon: Any,
                  _active: Any, _name: Any, _index: int = 0, _flag: int = 0) -> None:
        """One range."""
        painted = strip.soliloquy
        row = layout.row(align=True)
        row.use_property_split = False
        row.prop(painted, "use", text="")
        swatch = row.row(align=True)
        swatch.scale_x = 0.3
        swatch.prop(strip, "color", text="")
        split = row.split(factor=0.6, align=True)
        names = [name for name in (painted.emotion.strip(), painted.other.strip()) if name]
        first, after = blender_compat.left_handle(strip), blender_compat.right_handle(strip)
        text = f"{' + '.join(names)} {first:g}-{after - 1:g}"
        split.label(text=text, translate=False)
        split.prop(painted, "intensity", text="", slider=True)

    def filter_items(self, _context: Any, data: Any, name: str) -> tuple[list[int], list[int]]:
        """Only ranges, in order of time."""
        every = getattr(data, name)
        shown = [self.bitflag_filter_item if emotion_strips.is_range(strip) else 0
                 for strip in every]
        starts = [(number, blender_compat.left_handle(strip)) for number, strip in enumerate(every)]
        return shown, bpy.types.UI_UL_list.sort_items_helper(starts, lambda pair: pair[1])


class SOLILOQUY_MT_add_emotion(bpy.types.Menu):  # type: ignore[misc] # noqa: N801
    """The emotions that the model knows."""

    bl_label = "Add Emotion Range"

    def draw(self, context: bpy.types.Context) -> None:
        """A range of each."""
        self.layout.operator_context = "EXEC_DEFAULT"
        for name in emotion_strips.known(context):
            add = self.layout.operator("soliloquy.add_emotion", text=name, translate=False)
            add.emotion = name


class _StyleAndEmotion(SubPanel):
    bl_label = "Style and Emotion"

    def draw(self, context: bpy.types.Context) -> None:
        """The style, and what is painted over the sound."""
        layout = split(self.layout)  # type: ignore[attr-defined]
        performance = properties.performance_of(properties.chosen_face(context), context.scene)
        style_choice.draw(layout.column(), context, performance)
        reason = emotion_operators.why_no_emotions(context)
        if reason:
            grey = layout.column()
            grey.enabled = False
            draw_wrapped(grey, reason)
        else:
            _draw_emotions(layout, context)
            layout.prop(performance, "emotion_slider")
            if result.of_panel(context) is not None:
                layout.operator("soliloquy.redo_range", text="Redo Range as Painted",
                                icon="PREVIEW_RANGE").repaint = True


def _draw_emotions(layout: Any, context: bpy.types.Context) -> None:
    scene = blender_compat.sequencer_scene(context)
    editor, every = scene.sequence_editor, emotion_strips.of_scene(scene)
    row = layout.row()
    if every:
        name = "strips_all" if hasattr(editor, "strips_all") else "sequences_all"
        row.template_list("SOLILOQUY_UL_emotions", "", editor, name, scene.soliloquy_emotions,
                          "active", rows=3)
        buttons = row.column(align=True)
        buttons.menu("SOLILOQUY_MT_add_emotion", text="", icon="ADD")
        buttons.operator("soliloquy.remove_emotion", text="", icon="REMOVE")
        buttons.operator("soliloquy.clear_emotions", text="", icon="X")
    else:
        row.menu("SOLILOQUY_MT_add_emotion", icon="ADD")
    layout.operator("soliloquy.paint_heard", icon="VIEWZOOM")
    _draw_unknown(layout, context, every)
    chosen = emotion_strips.chosen(scene)
    if chosen:
        _draw_range(layout.column(), chosen[0].soliloquy)
        lost = emotion_strips.lost_face(chosen[0])
        if lost:
            draw_wrapped(layout, translated(
                "'{face}' was removed, so nobody feels this: choose another face, or choose and "
                "clear one for whoever speaks", face=lost), "ERROR")
    elif every:
        draw_wrapped(layout, "Where no range is, the voice rules")
    else:
        draw_wrapped(layout, "Emotions are heard in the voice; a range overrules it")


def _draw_range(layout: Any, painted: Any) -> None:
    layout.prop(painted, "emotion", placeholder=translated("from the voice"))
    layout.prop(painted, "intensity", slider=True)
    layout.prop(painted, "other", placeholder=translated("none"))
    if painted.other.strip():
        layout.prop(painted, "share", slider=True)
    layout.prop(painted, "fade_s")
    layout.prop(painted, "face")


def _draw_unknown(layout: Any, context: bpy.types.Context, every: list[Any]) -> None:
    known = emotion_strips.known(context)
    given = [name.strip() for strip in every
             for name in (strip.soliloquy.emotion, strip.soliloquy.other) if name.strip()]
    for name in dict.fromkeys(name for name in given if name not in known):
        draw_wrapped(layout, emotion_operators.unknown(name, known), "ERROR")


class SOLILOQUY_PT_view_emotion(_StyleAndEmotion, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the 3D View."""

    bl_space_type = "VIEW_3D"
    bl_parent_id = "SOLILOQUY_PT_view"


class SOLILOQUY_PT_sequencer_emotion(_StyleAndEmotion, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the Video Sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_parent_id = "SOLILOQUY_PT_sequencer"


CLASSES = (emotion_strips.PaintedEmotion, EmotionList, *emotion_operators.CLASSES,
           SOLILOQUY_UL_emotions, SOLILOQUY_MT_add_emotion, SOLILOQUY_PT_view_emotion,
           SOLILOQUY_PT_sequencer_emotion)


def attach() -> None:
    """Give strips and scenes what is painted."""
    emotion_strips.attach()
    bpy.types.Scene.soliloquy_emotions = bpy.props.PointerProperty(type=EmotionList)


def detach() -> None:
    """Undo `attach`."""
    del bpy.types.Scene.soliloquy_emotions
    emotion_strips.detach()
