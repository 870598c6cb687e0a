"""The list of a face's takes: which one plays, keep, delete, rename, mix by region."""

from contextlib import ExitStack
from typing import Any, ClassVar

import bpy

from . import (
    caches,
    disabled_reason,
    keyframes,
    mixing,
    ownership,
    placing,
    properties,
    removal,
    result,
    sliders,
)
from .words import translated

_Result = set[str]


class SOLILOQUY_UL_takes(bpy.types.UIList):  # type: ignore[misc] # noqa: N801
    """Number, name, seed, and whether it plays"""

    def draw_item(self, _context: bpy.types.Context, layout: Any, data: Any, item: Any,
                  _icon: int, _active: Any, _active_name: str, index: int) -> None:
        """One take."""
        if not keyframes.is_ours(item.action):
            layout.label(text="(deleted)")
            return
        # A label alone would take as much room as the name, and cut it.
        split = layout.split(factor=0.09, align=True)
        split.label(text=f"{index + 1}")
        split = split.split(factor=0.78, align=True)
        split.prop(item.action, "name", text="", emboss=False)
        row = split.row(align=True)
        row.label(text=mixing.seed_of(item.action))
        on = any(found.action == item.action for found in placing.playing(data.id_data))
        row.operator("soliloquy.play_take", text="", emboss=False,
                     icon="RADIOBUT_ON" if on else "RADIOBUT_OFF").index = index


class OnTakes(disabled_reason.Greyed):
    """What all operators on takes have in common; `index` -1 is the take chosen in the list."""

    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}
    least: ClassVar[int] = 1

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be takes, and the face must be free to change."""
        face = properties.chosen_face(context)
        reason = disabled_reason.for_job() or disabled_reason.for_face(face)
        keys = result.of(face)
        if reason or keys is None:
            return reason or "This face has no takes yet"
        enough = len(list(result.actions(keys))) >= cls.least
        return "" if enough else translated("It takes {count} takes", count=cls.least)

    def settled(self, context: bpy.types.Context) -> bpy.types.Key:
        """The panel's shape keys, and no other face has part in their takes."""
        keys = properties.chosen_face(context).data.shape_keys
        ownership.settle(keys)
        return keys

    def action(self, keys: bpy.types.Key, index: int) -> bpy.types.Action | None:
        """The take at an index of the list, or None after a report."""
        takes = keys.soliloquy.takes
        index = keys.soliloquy.chosen if index < 0 else index
        found = takes[index].action if index < len(takes) else None
        if not keyframes.is_ours(found):
            text = translated("There is no take {number}", number=index + 1)
            self.report({"ERROR"}, text)  # type: ignore[attr-defined]
            return None
        return found


def _index() -> Any:
    return bpy.props.IntProperty(default=-1, options={"HIDDEN", "SKIP_SAVE"})


class SOLILOQUY_OT_play_take(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Let this take play instead of the line's others; again: let none play"""

    bl_idname = "soliloquy.play_take"
    bl_label = "Play Take"
    index: _index()  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> _Result:
        """Switch, at once."""
        keys = self.settled(context)
        action = self.action(keys, self.index)
        if action is None:
            return {"CANCELLED"}
        with ExitStack() as undo:
            if any(found.action == action for found in placing.playing(keys)):
                placing.switch_off(keys, action, undo)
            else:
                first, last = placing.place(keys, action)
                placing.switch_off_within(keys, first, last, undo)
                caches.hide_within(properties.chosen_face(context),
                                   action[keyframes.PROVENANCE], undo)
                placing.switch_on(keys, action, undo)
            undo.pop_all()
        result.choose(keys, action)
        return {"FINISHED"}


class SOLILOQUY_OT_delete_take(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Delete this take and what only it uses"""

    bl_idname = "soliloquy.delete_take"
    bl_label = "Delete Take"
    index: _index()  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> _Result:
        """Delete it; the take next to it plays if it did."""
        face, keys = properties.chosen_face(context), self.settled(context)
        action = self.action(keys, self.index)
        if action is None:
            return {"CANCELLED"}
        with ExitStack() as undo:
            placing.switch_off(keys, action, undo)
            undo.pop_all()
        removal.take(face, action)
        return {"FINISHED"}


class SOLILOQUY_OT_keep_take(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Keep this take and delete the others of its line"""

    bl_idname = "soliloquy.keep_take"
    bl_label = "Keep Only This Take"
    least: ClassVar[int] = 2
    index: _index()  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> _Result:
        """Delete the others and let this one play."""
        face, keys = properties.chosen_face(context), self.settled(context)
        action = self.action(keys, self.index)
        if action is None:
            return {"CANCELLED"}
        first, last = placing.place(keys, action)
        with ExitStack() as undo:
            placing.switch_off_within(keys, first, last, undo)
            placing.switch_on(keys, action, undo)
            undo.pop_all()
        for other in list(result.actions(keys)):
            start, end = placing.place(keys, other)
            if other != action and placing.overlap(other, start, end, first, last):
                removal.take(face, other)
        result.choose(keys, action)
        return {"FINISHED"}


class SOLILOQUY_OT_mix_takes(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Make a new take with the lower face of one take and the upper face of another"""

    bl_idname = "soliloquy.mix_takes"
    bl_label = "Mix Takes"
    least: ClassVar[int] = 2
    lower: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Lower Face of Take", default=1, min=1, description="Its number in the list")
    upper: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Upper Face of Take", default=2, min=1, description="Its number in the list")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> _Result:
        """Ask which; the chosen take gives the lower face unless told otherwise."""
        keys = result.of_panel(context)
        self.lower = keys.soliloquy.chosen + 1 if keys is not None else 1
        answer: _Result = context.window_manager.invoke_props_dialog(self)
        return answer

    def execute(self, context: bpy.types.Context) -> _Result:
        """Mix them and let the mix play."""
        keys = self.settled(context)
        lower, upper = self.action(keys, self.lower - 1), self.action(keys, self.upper - 1)
        if lower is None or upper is None or not self._can_mix(lower, upper):
            return {"CANCELLED"}
        with ExitStack() as undo:
            mixing.mix(keys, lower, upper, undo)
            undo.pop_all()
        return {"FINISHED"}

    def _can_mix(self, lower: bpy.types.Action, upper: bpy.types.Action) -> bool:
        meant = keyframes.frame_range(upper)
        if not (keyframes.our_curves(lower, (keyframes.LOWER,))
                and keyframes.our_curves(upper, (keyframes.UPPER,))):
            self.report({"ERROR"}, "One of these takes has no separate lower and upper face")
        elif not placing.overlap(lower, *keyframes.frame_range(lower), *meant):
            self.report({"ERROR"}, "These takes are of different lines")
        else:
            return True
        return False


class SOLILOQUY_OT_share_sliders(OnTakes, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Give all takes of this face the strength and smoothing of the chosen one"""

    bl_idname = "soliloquy.share_sliders"
    bl_label = "Sliders to All Takes"
    least: ClassVar[int] = 2

    def execute(self, context: bpy.types.Context) -> _Result:
        """Copy them."""
        keys = self.settled(context)
        source = self.action(keys, -1)
        for action in result.actions(keys) if source is not None else ():
            sliders.copy(source, action)
        return {"FINISHED"} if source is not None else {"CANCELLED"}


def draw(layout: Any, keys: bpy.types.Key) -> None:
    """The list with its buttons, and the chosen take's sliders."""
    row = layout.row()
    row.template_list("SOLILOQUY_UL_takes", "", keys.soliloquy, "takes", keys.soliloquy, "chosen",
                      rows=3)
    buttons = row.column(align=True)
    buttons.operator("soliloquy.delete_take", text="", icon="X")
    buttons.operator("soliloquy.keep_take", text="", icon="SOLO_ON")
    buttons.operator("soliloquy.mix_takes", text="", icon="AREA_SWAP")
    action = result.chosen(keys)
    if action is not None:
        sliders.draw(layout, action)
        layout.operator("soliloquy.share_sliders")


CLASSES = (SOLILOQUY_UL_takes, SOLILOQUY_OT_play_take, SOLILOQUY_OT_delete_take,
           SOLILOQUY_OT_keep_take, SOLILOQUY_OT_mix_takes, SOLILOQUY_OT_share_sliders)
