"""A whole scene in one press: which face says which strip, and the queue that sees to it."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from . import blender_compat, disabled_reason, press, session, strips, writing
from ._backend import errors
from .running import CANCELLED, FINISHED, Result, Running
from .sub_panel import SubPanel
from .takes import Take
from .words import translated
from .wrapping import wrapped


def _is_mesh(_line: bpy.types.PropertyGroup, candidate: bpy.types.Object) -> bool:
    return bool(candidate.type == "MESH")


class CastLine(bpy.types.PropertyGroup):  # type: ignore[misc]
    """One strip and the face that says it; `name` is the strip's."""

    face: bpy.props.PointerProperty(  # type: ignore[valid-type]
        name="Face", type=bpy.types.Object, poll=_is_mesh,
        description="The mesh that says this line; empty: nobody")
    use: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Animate", default=True, description="Whether this line is animated with the others")


class Cast(bpy.types.PropertyGroup):  # type: ignore[misc]
    """Scene.soliloquy_cast: the list that the artist edits."""

    lines: bpy.props.CollectionProperty(  # type: ignore[valid-type]
        type=CastLine, name="Lines", description="The lines of the scene and who says them")
    active: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Active Line", description="The line that is highlighted in the list")


def speaker(strip: str, channel: str, faces: Iterable[str]) -> str:
    """The face whose name a strip's name contains as words, or its channel's; the longest such
    name, or '' when there is none."""
    for text in (_words(strip), _words(channel)):
        fitting = [face for face in faces if _words(face).strip() and _words(face) in text]
        if fitting:
            return max(fitting, key=len)
    return ""


def _words(name: str) -> str:
    return f" {re.sub(r'[^0-9a-z]+', ' ', name.casefold()).strip()} "


def sound_strips(scene: bpy.types.Scene) -> list[Any]:
    """The sound strips that a scene plays, in order of time."""
    editor = scene.sequence_editor
    every = blender_compat.all_strips(editor) if editor is not None else []
    return sorted((strip for strip in every if strip.type == "SOUND" and not strip.mute),
                  key=blender_compat.left_handle)


def list_lines(scene: bpy.types.Scene, sequencer: bpy.types.Scene) -> None:
    """Every sound strip of `sequencer` as a line in `scene`; what the artist chose stays."""
    lines = scene.soliloquy_cast.lines
    chosen = {line.name: (line.face, line.use) for line in lines}
    faces = [o.name for o in scene.objects if o.type == "MESH"]
    lines.clear()
    for strip in sound_strips(sequencer):
        line = lines.add()
        line.name = strip.name
        if strip.name in chosen:
            line.face, line.use = chosen[strip.name]
        else:
            channel = sequencer.sequence_editor.channels[strip.channel].name
            line.face = scene.objects.get(speaker(strip.name, channel, faces))


@contextmanager
def only(context: bpy.types.Context, strip_name: str, face: bpy.types.Object) -> Iterator[None]:
    """The panel as if one strip and one face had been chosen; what was chosen comes back."""
    settings = context.scene.soliloquy
    source, chosen = settings.source, settings.face
    try:
        settings.source, settings.face = "STRIP", face
        with strips.speaking(strip_name):
            yield
    finally:
        settings.source, settings.face = source, chosen


class SOLILOQUY_OT_list_lines(disabled_reason.Greyed, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """List the scene's sound strips, each with the face whose name it or its channel bears; change
    any of them in the list"""

    bl_idname = "soliloquy.list_lines"
    bl_label = "List the Lines"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender asks for a plain set

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be strips."""
        found = sound_strips(blender_compat.sequencer_scene(context))
        return "" if found else "Add sound strips in the Video Sequencer first"

    def execute(self, context: bpy.types.Context) -> Result:
        """Fill the list."""
        list_lines(context.scene, blender_compat.sequencer_scene(context))
        lines = context.scene.soliloquy_cast.lines
        with_face = sum(line.face is not None for line in lines)
        self.report({"INFO"}, translated("Lines: {count}, with a face: {speaking}",
                                         count=len(lines), speaking=with_face))
        return FINISHED


class SOLILOQUY_OT_animate_scene(disabled_reason.Greyed, Running, bpy.types.Operator):  # type: ignore[misc] # noqa: N801
    """Animate every line of the list that has a face, one after another"""

    bl_idname = "soliloquy.animate_scene"
    bl_label = "Animate All Lines"
    bl_options = {"UNDO"}  # noqa: RUF012  Blender asks for a plain set

    @classmethod
    def disabled_reason(cls, context: bpy.types.Context) -> str:
        """There must be a line with a face, and no other job."""
        lines = context.scene.soliloquy_cast.lines
        if disabled_reason.for_job():
            return disabled_reason.for_job()
        if not lines:
            return "Press List the Lines first"
        if not any(line.use and line.face for line in lines):
            return "Choose a face beside a line"
        return ""

    def start(self, context: bpy.types.Context) -> None:
        """Begin with the first line that can be begun."""
        lines = context.scene.soliloquy_cast.lines
        self._waiting = deque((line.name, line.face.name) for line in lines
                              if line.use and line.face)
        self._total, self._written = len(self._waiting), 0
        self._problems: list[str] = []
        if self._go_on(context) is not None:
            raise errors.RequestError("cast_failed", self._problems[0],
                                      self._more(self._problems[1:]))

    def done(self, made: list[Take]) -> Result | None:
        """Write the line and begin the next."""
        writing.write_all(made, self._where)
        self._written += 1
        return self._go_on(bpy.context)

    def failed(self, problem: errors.SoliloquyError) -> Result | None:
        """A line that fails does not keep the others from being animated; a cancel does."""
        session.CURRENT.queue = ""
        if not self._written and not self._waiting:
            return super().failed(problem)
        if isinstance(problem, errors.Cancelled):
            self._waiting.clear()
            self._problems.append("Cancelled.")
            return self._end()
        self._problems.append(f"{self._line}: {problem.message}")
        return self._go_on(bpy.context)

    def _go_on(self, context: bpy.types.Context) -> Result | None:
        """Begin the next line that can be begun; the result when there is none."""
        while self._waiting:
            self._line, name = self._waiting.popleft()
            face = bpy.data.objects.get(name)
            try:
                with only(context, self._line, face):
                    self._where = press.begin(context)
            except errors.SoliloquyError as problem:
                self._problems.append(f"{self._line}: {problem.message}")
                continue
            number = self._total - len(self._waiting)
            session.CURRENT.queue = translated(
                "Line {number} of {total}: {line} by {face}", number=number, total=self._total,
                line=self._line, face=name)
            return None
        return self._end()

    def _end(self) -> Result:
        """What is written stays, as one step to undo."""
        session.CURRENT.queue = ""
        text = translated("Lines animated: {done} of {total}", done=self._written,
                          total=self._total)
        session.CURRENT.tell(text, self._more(self._problems), failed=bool(self._problems))
        self.say("WARNING" if self._problems else "INFO",
                 f"{text}. {self._more(self._problems)}".strip())
        return FINISHED if self._written else CANCELLED

    def _more(self, problems: list[str]) -> str:
        return " ".join(problems)


class SOLILOQUY_UL_lines(bpy.types.UIList):  # type: ignore[misc] # noqa: N801
    """A strip, its face, and whether it is animated."""

    def draw_item(self, _context: Any, layout: Any, _data: Any, line: Any, _icon: Any,
                  _active: Any, _name: Any, _index: int = 0, _flag: int = 0) -> None:
        """One line, half of it the face."""
        row = layout.row(align=True)
        row.prop(line, "use", text="")
        split = row.split(factor=0.5, align=True)
        split.label(text=line.name, icon="SOUND")
        split.prop(line, "face", text="")


class _WholeScene(SubPanel):
    bl_label = "Whole Scene"

    def draw(self, context: bpy.types.Context) -> None:
        """The list, and the button for all of it."""
        layout: Any = self.layout  # type: ignore[attr-defined]
        layout.operator("soliloquy.list_lines", icon="FILE_REFRESH")
        cast = context.scene.soliloquy_cast
        if cast.lines:
            layout.template_list("SOLILOQUY_UL_lines", "", cast, "lines", cast, "active", rows=4)
        layout.operator("soliloquy.animate_scene", icon="PLAY")
        for line in wrapped(session.CURRENT.queue):
            layout.label(text=line, translate=False)


class SOLILOQUY_PT_view_cast(_WholeScene, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the 3D View."""

    bl_space_type = "VIEW_3D"
    bl_parent_id = "SOLILOQUY_PT_view"


class SOLILOQUY_PT_sequencer_cast(_WholeScene, bpy.types.Panel):  # type: ignore[misc] # noqa: N801
    """In the Video Sequencer."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_parent_id = "SOLILOQUY_PT_sequencer"


CLASSES = (CastLine, Cast, SOLILOQUY_OT_list_lines, SOLILOQUY_OT_animate_scene,
           SOLILOQUY_UL_lines, SOLILOQUY_PT_view_cast, SOLILOQUY_PT_sequencer_cast)


def attach() -> None:
    """Give scenes their list."""
    bpy.types.Scene.soliloquy_cast = bpy.props.PointerProperty(type=Cast)


def detach() -> None:
    """Take it away again."""
    del bpy.types.Scene.soliloquy_cast
