"""Inside the Debian folder: takes the guide's pictures in a real Blender window.

Each picture is a part of the screen: the whole window, the sidebar, or the preferences' page.
"""

from __future__ import annotations

import shutil
import sys

from drive_window import SHOW_STRIPS, Afternoon
from screen import SHARE, Screen

PACKAGE = "bl_ext.user_default.soliloquy"
# Where the extension has its own part of the page.
PREFERENCES = "874x440+174+285"
# As a click on their headings would, which no script can do: Blender remembers by a panel's name
# whether it is open.
OPEN_PANELS = """
registration = sys.modules[{package!r} + ".registration"]
parts = [cls for cls in registration.CLASSES
         if getattr(cls, "bl_parent_id", "") == "SOLILOQUY_PT_{place}"]
for part in parts:
    for shown in (*part.__subclasses__(), part):
        if shown.is_registered:
            bpy.utils.unregister_class(shown)
for part in parts:
    if part.__name__ in {names!r}:
        name = part.__name__ + "_open"
        part = type(name, (part,), {{"bl_idname": name, "bl_options": set()}})
    bpy.utils.register_class(part)
"""
SECOND_FACE = """
head = bpy.data.objects["Soliloquy Head"]
head.name, head.data.name = "Anna", "Anna"
bpy.ops.object.select_all(action="DESELECT")
bpy.ops.soliloquy.add_head()
bpy.context.object.name, bpy.context.object.location.x = "Ben", 0.3
editor = bpy.context.scene.sequence_editor
strips = editor.strips if hasattr(editor, "strips") else editor.sequences
path = strips[0].sound.filepath
strips[0].name = "Anna 01"
strips.new_sound("Ben 01", path, 2, 280)
strips.new_sound("Anna 02", path, 1, 560)
bpy.ops.soliloquy.list_lines()
"""
# The first model that knows emotions; '' where the zip was built without one.
EMOTIONAL = """next((entry.name for models in [sys.modules[{package!r} + ".models"]]
    for entry in models.entries(bpy.context)
    if models.manners(bpy.context, entry.name).emotions), "")
"""
PAINT = """
area = next(a for a in bpy.context.window.screen.areas if a.type == "VIEW_3D")
area.type = "SEQUENCE_EDITOR"
bpy.context.scene.soliloquy.model = {model!r}
for frame, emotion, intensity in ((0, "happy", 0.8), (90, "sad", 1.0), (170, "angry", 1.2)):
    bpy.context.scene.frame_set(frame)
    bpy.ops.soliloquy.add_emotion(emotion=emotion, intensity=intensity)
"""
UNPAINT = """
bpy.ops.soliloquy.clear_emotions()
bpy.context.scene.soliloquy.model = "gldi-flame"
area = next(a for a in bpy.context.window.screen.areas if a.type == "SEQUENCE_EDITOR")
area.type = "VIEW_3D"
"""
SHOW_PREFERENCES = """
area = next(a for a in bpy.context.window.screen.areas if a.type == "VIEW_3D")
area.type = "PREFERENCES"
bpy.context.preferences.active_section = "ADDONS"
bpy.context.window_manager.addon_search = "Soliloquy"
"""
EXPAND = "bpy.ops.preferences.addon_expand(module={package!r}) and None"


class Pictures:
    """The pictures, in the order in which a beginner meets what they show."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.afternoon = Afternoon(screen)

    def take_all(self) -> None:
        """Leave every picture in the folder for shots."""
        self.afternoon.open_panel()
        (self.screen.shots / "panel.png").unlink()  # another test's
        self.first_press()
        self.takes()
        self.emotions()
        self.whole_scene()
        self.preferences()

    def first_press(self) -> None:
        """The panel before, during and after the first press."""
        self.sidebar("panel-before")
        self.afternoon.press()
        self.sidebar("panel-working")
        self.afternoon.finish()
        self.screen.ask("bpy.context.scene.frame_set(161)")
        self.screen.shot("window-talking")
        self.sidebar("panel-after")

    def takes(self) -> None:
        """Three takes, with the panels about the result open."""
        self.screen.ask("setattr(bpy.context.scene.soliloquy, 'takes', 3)")
        self.afternoon.again()
        self.open("takes")
        self.sidebar("panel-takes", 800)
        self.screen.ask("bpy.ops.soliloquy.add_blinks() and None")
        self.screen.ask("session.tell('')")  # its room is needed
        self.open("blinks")
        self.sidebar("panel-blinks", 560)
        self.open("result")
        self.sidebar("panel-result", 800)
        self.open("advanced")
        self.sidebar("panel-advanced", 800)

    def emotions(self) -> None:
        """Three emotions painted over the line, if there is a model that knows them."""
        model = self.screen.ask(EMOTIONAL.format(package=PACKAGE))
        if not model:
            return
        self.screen.ask(PAINT.format(model=model))
        self.open("emotion", place="sequencer", editor="SEQUENCE_EDITOR")
        self.screen.ask(SHOW_STRIPS)
        self.afternoon.look_away()
        self.screen.shot("window-emotions")
        self.screen.ask(UNPAINT)

    def whole_scene(self) -> None:
        """Two faces, three lines."""
        self.screen.ask(SECOND_FACE)
        self.open("cast")
        self.sidebar("panel-scene", 800)

    def preferences(self) -> None:
        """The extension's page, after a self-test."""
        self.screen.ask("bpy.ops.soliloquy.self_test('EXEC_DEFAULT') and None")
        self.screen.ask(SHOW_PREFERENCES)
        self.screen.ask(EXPAND.format(package=PACKAGE))
        self.screen.move(20, 780)
        self.screen.shot("preferences", PREFERENCES)

    def open(self, *parts: str, place: str = "view", editor: str = "VIEW_3D") -> None:
        """Open some of our panels, and close what was opened before."""
        names = [f"SOLILOQUY_PT_{place}_{part}" for part in parts]
        self.screen.ask(OPEN_PANELS.format(package=PACKAGE, place=place, names=names))
        self.screen.show_tab("Soliloquy", editor)

    def sidebar(self, name: str, most_high: int = 500) -> None:
        """A picture of the upper part of the 3D View's sidebar."""
        self.afternoon.look_away()
        self.screen.shot(name, self.screen.sidebar(most_high=most_high))


def main() -> None:
    """One window, all pictures."""
    shots = SHARE / "shots"
    for folder in (shots, SHARE / "calls"):
        shutil.rmtree(folder, ignore_errors=True)
    shots.mkdir()
    with Screen(SHARE / "scene.blend", shots) as screen:
        Pictures(screen).take_all()


if __name__ == "__main__":
    sys.exit(main())
