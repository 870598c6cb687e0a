"""Inside the Debian folder: a person's afternoon with the add-on, in a real Blender window.

Presses the button, undoes, kills the worker in the middle, cancels, retries, saves, reopens and
quits during a job; keeps pictures and figures. An AssertionError says what went wrong.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from screen import SHARE, Screen

BUTTON = "soliloquy.animate_from_audio"
SETUP = """
import sys
session = sys.modules["bl_ext.user_default.soliloquy.session"].CURRENT
head = lambda: bpy.data.objects["Soliloquy Head"]
bpy.context.preferences.view.show_splash = False
"""
FRONT_VIEW = """
area = next(a for a in bpy.context.window.screen.areas if a.type == "VIEW_3D")
region = next(r for r in area.regions if r.type == "WINDOW")
area.spaces.active.shading.color_type = "MATERIAL"
area.spaces.active.overlay.show_floor = area.spaces.active.overlay.show_axis_x = False
with bpy.context.temp_override(area=area, region=region):
    bpy.ops.view3d.view_axis(type="FRONT")
    bpy.ops.view3d.view_selected()
"""
SHOW_STRIPS = """
if hasattr(bpy.context.workspace, "sequencer_scene"):
    bpy.context.workspace.sequencer_scene = bpy.context.scene
area = next(a for a in bpy.context.window.screen.areas if a.type == "SEQUENCE_EDITOR")
region = next(r for r in area.regions if r.type == "WINDOW")
with bpy.context.temp_override(area=area, region=region):
    bpy.ops.sequencer.view_all()
"""
# What F3 calls.
SEARCH = """
area = next(a for a in bpy.context.window.screen.areas if a.type == "VIEW_3D")
region = next(r for r in area.regions if r.type == "WINDOW")
with bpy.context.temp_override(area=area, region=region):
    bpy.ops.wm.search_menu("INVOKE_DEFAULT")
"""
# As a click on an entry of the menu, then on the file browser's button.
EXPORT = """
area = next(a for a in bpy.context.window.screen.areas if a.type == "VIEW_3D")
region = next(r for r in area.regions if r.type == "WINDOW")
with bpy.context.temp_override(area=area, region=region):
    bpy.ops.soliloquy.export("INVOKE_DEFAULT", kind="PC2")
"""
ACCEPT = """
window, area = next((w, a) for w in bpy.context.window_manager.windows for a in w.screen.areas
                    if a.type == "FILE_BROWSER")
area.spaces.active.params.directory = b"/share/"
area.spaces.active.params.filename = "head.pc2"
with bpy.context.temp_override(window=window, area=area):
    bpy.ops.file.execute()
"""
COLOUR_STRIPS = (
    "[sum(s.type == 'COLOR' for s in (e.strips_all if hasattr(e, 'strips_all') else"
    " e.sequences_all)) for e in [bpy.context.scene.sequence_editor]][0]"
)
# The tiny pack's ball as a program leaves it that sorts vertices.
SHUFFLED_BALL = """
import bmesh, numpy
rest = numpy.load("/share/tiny_pack/reference.npz")["rest"]
shape, mesh = bmesh.new(), bpy.data.meshes.new("Ball")
for place in rest[numpy.random.default_rng(3).permutation(len(rest))]:
    shape.verts.new(place)
bmesh.ops.convex_hull(shape, input=shape.verts)
shape.to_mesh(mesh)
ball = bpy.data.objects.new("Ball", mesh)
bpy.context.scene.collection.objects.link(ball)
settings = bpy.context.scene.soliloquy
settings.face, settings.model = ball, "/share/tiny_pack"
"""
# All that the operator may touch: names and values, not pointers.
SCENE = (
    "[[[k.name, round(k.value, 5), k.mute] for k in head().data.shape_keys.key_blocks],"
    " sorted(a.name for a in bpy.data.actions),"
    " [[t.name, [s.name for s in t.strips]] for t in"
    " head().data.shape_keys.animation_data.nla_tracks],"
    " head().data.shape_keys.animation_data.action.name]"
)


def worker_pids() -> list[int]:
    """The process ids of the add-on's worker; empty when there is none."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it ended while we looked
        if b"serve" in words and b"backend" in words and state != "Z":
            found.append(int(folder.name))
    return found


class Afternoon:
    """The steps, in order; `figures` is what they measured."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.figures: dict[str, object] = {}
        self.button = (0, 0)

    def open_panel(self) -> None:
        """The Soliloquy tab, the face from the front."""
        self.screen.ask(SETUP)
        self.screen.ask(FRONT_VIEW)
        self.screen.show_tab("Soliloquy")
        self.button = self.screen.find_button(BUTTON)
        self.look_away()
        self.screen.shot("panel")

    def look_away(self) -> None:
        """The mouse over the face: no tooltip, and keys go to the 3D View."""
        self.screen.move(500, 450)

    def press(self) -> None:
        """Click the button and see the job begin."""
        self.screen.key("Escape")  # an error's popup would take the click
        self.screen.click(*self.button)
        self.screen.wait(self.busy, "the job to begin", 60.0, poll_s=0.01)
        self.look_away()

    def busy(self) -> bool:
        """Whether a job runs."""
        return bool(self.screen.ask("session.busy"))

    def message(self) -> str:
        """What the panel says, with its hint."""
        return str(self.screen.ask("session.message + ' ' + session.hint")).strip()

    def finish(self, said: str = "speaks") -> float:
        """Wait for a job's good end; the longest that Blender kept us waiting, in seconds."""
        slowest_s, end = 0.0, time.monotonic() + 1500.0
        while True:
            asked = time.monotonic()
            if not self.busy():
                break
            slowest_s = max(slowest_s, time.monotonic() - asked)
            time.sleep(0.05)
            assert time.monotonic() < end, "the job did not end within 1500 s"
        assert said in self.message(), self.message()
        return slowest_s

    def animate(self) -> None:
        """The first press: a new worker, a take, and Blender answers all along."""
        start = time.monotonic()
        self.press()
        slowest_s = self.finish()
        self.figures["press_to_take_s"] = round(time.monotonic() - start, 2)
        self.figures["slowest_answer_s"] = round(slowest_s, 3)
        self.figures["longest_tick_s"] = round(self.screen.ask("session.longest_tick_s"), 3)
        assert slowest_s < 1.0, f"Blender did not answer for {slowest_s:.1f} s"
        self.screen.ask("bpy.context.scene.frame_set(161)")
        self.screen.shot("talking")

    def undo(self, before: object) -> None:
        """One Ctrl+Z takes back all that the press did."""
        self.look_away()
        self.screen.key("ctrl+z")
        self.screen.wait(lambda: self.screen.ask(SCENE) == before, "the undo", 60.0)
        self.screen.shot("undone")

    def kill_worker(self) -> None:
        """SIGKILL in the middle of a job: said within two seconds, and the scene is as it was."""
        before, pid = self.screen.ask(SCENE), self.hold_worker()
        self.press()
        self.screen.shot("working")
        os.kill(pid, signal.SIGKILL)
        said_s = self.screen.wait(lambda: not self.busy(), "word of the death", 60.0, poll_s=0.01)
        self.figures["death_said_after_s"] = round(said_s, 2)
        self.figures["death_message"] = self.message()
        assert "killed" in self.message(), self.message()
        assert said_s < 2.0, f"said only after {said_s:.2f} s"
        assert self.screen.ask(SCENE) == before
        self.screen.shot("killed")

    def cancel(self) -> None:
        """Esc ends a job, even that of a worker that no longer listens."""
        before = self.screen.ask(SCENE)
        self.hold_worker()
        self.press()
        self.screen.key("Escape")
        took_s = self.screen.wait(lambda: not self.busy(), "the cancel", 60.0, poll_s=0.01)
        self.figures["cancel_of_hung_worker_s"] = round(took_s, 2)
        assert self.message() == "Cancelled", self.message()
        assert self.screen.ask(SCENE) == before

    def hold_worker(self) -> int:
        """Stop the warm worker, so that a job is surely in the middle; returns its pid."""
        (pid,) = worker_pids()
        os.kill(pid, signal.SIGSTOP)
        return pid

    def again(self) -> None:
        """A press after a mishap works."""
        self.press()
        self.finish()

    def press_by_search(self) -> None:
        """The search finds the button by its name."""
        self.look_away()
        if self.screen.ask("bpy.app.version < (5, 0)"):
            self.screen.key("F3")
        else:  # 5.2 on a virtual screen hears no function key
            self.screen.ask(SEARCH)
        time.sleep(2.0)
        self.screen.type("animate from")
        time.sleep(2.0)
        self.screen.shot("search")
        self.screen.key("Return")
        self.screen.wait(self.busy, "the job to begin", 60.0, poll_s=0.01)
        self.finish()

    def press_in_sequencer(self) -> None:
        """The same tab in the Video Sequencer, in place of the 3D View."""
        swap = "next(a for a in bpy.context.window.screen.areas if a.type == {!r}).type = {!r}"
        self.screen.ask(swap.format("VIEW_3D", "SEQUENCE_EDITOR"))
        self.screen.show_tab("Soliloquy", "SEQUENCE_EDITOR")
        self.screen.ask(SHOW_STRIPS)
        in_view, self.button = self.button, self.screen.find_button(BUTTON, "SEQUENCE_EDITOR")
        self.look_away()
        self.screen.shot("sequencer")
        self.again()
        self.button = in_view
        self.screen.ask(swap.format("SEQUENCE_EDITOR", "VIEW_3D"))

    def paint_what_is_heard(self) -> None:
        """The voice's emotions become strips over the line."""
        model = "setattr(bpy.context.scene.soliloquy, 'model', {!r})"
        self.screen.ask(model.format("exptalk-flame"))
        self.screen.ask("bpy.ops.soliloquy.paint_heard('INVOKE_DEFAULT') and None")
        self.screen.wait(lambda: not self.busy(), "what is heard", 120.0)
        assert self.message().startswith("Heard: "), self.message()
        self.figures["heard"] = self.message()
        assert self.screen.ask(COLOUR_STRIPS) > 0
        self.screen.ask("bpy.ops.soliloquy.clear_emotions() and None")
        self.screen.ask(model.format("gldi-flame"))

    def export(self) -> None:
        """A file chosen in the browser is written by a Blender of its own, and ours answers."""
        path = SHARE / "head.pc2"
        path.unlink(missing_ok=True)
        self.screen.ask("setattr(session, 'longest_tick_s', 0.0)")
        self.screen.ask(EXPORT)
        time.sleep(2.0)
        self.screen.ask(ACCEPT)
        self.screen.wait(self.busy, "the export to begin", 60.0, poll_s=0.01)
        start = time.monotonic()
        self.finish("Wrote")
        self.figures["export_s"] = round(time.monotonic() - start, 2)
        self.figures["export_longest_tick_s"] = round(
            self.screen.ask("session.longest_tick_s"), 3)
        assert path.stat().st_size > 1_000_000
        assert not list(SHARE.glob(".head*"))

    def match_vertices(self) -> None:
        """A face in another order: the panel asks, and the answer is kept on the mesh."""
        self.screen.ask(SHUFFLED_BALL)
        time.sleep(2.0)  # the face is looked at in a thread
        self.screen.click(*self.screen.find_button("soliloquy.match_vertices"))
        time.sleep(0.5)
        self.screen.shot("question")
        self.screen.key("Return")
        stored = "'soliloquy_order' in bpy.data.meshes['Ball'].attributes"
        self.screen.wait(lambda: bool(self.screen.ask(stored)), "the order", 60.0)
        self.screen.ask("setattr(bpy.context.scene.soliloquy, 'face', head())")
        self.screen.ask("setattr(bpy.context.scene.soliloquy, 'model', 'gldi-flame')")

    def save_and_reopen(self) -> None:
        """The file remembers the takes, and the button works in it."""
        before, path = self.screen.ask(SCENE), str(SHARE / "saved.blend")
        self.screen.ask(f"bpy.ops.wm.save_as_mainfile(filepath={path!r}) and None")
        # Loading frees the window that a question runs in: load from a timer of its own.
        self.screen.ask(
            "bpy.app.timers.register(lambda: bpy.ops.wm.open_mainfile("
            f"filepath={path!r}) and None, first_interval=0.1)"
        )
        time.sleep(2.0)
        self.screen.ask(SETUP)
        assert self.screen.ask("bpy.data.filepath") == path
        assert self.screen.ask(SCENE) == before
        self.screen.show_tab("Soliloquy")
        self.again()

    def quit_in_the_middle(self) -> None:
        """Blender quits during a job and leaves no worker behind."""
        self.hold_worker()
        self.press()
        self.screen.ask(
            "bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None,"
            " first_interval=0.1)"
        )
        self.screen.blender.wait(120.0)
        time.sleep(0.5)
        assert not worker_pids(), "a worker outlives Blender"
        self.figures["quit_exit_code"] = self.screen.blender.returncode


def main() -> None:
    """Everything, with one line for each step."""
    shots = SHARE / "shots"
    for folder in (shots, SHARE / "calls"):
        shutil.rmtree(folder, ignore_errors=True)
    shots.mkdir()
    start = time.monotonic()
    with Screen(SHARE / "scene.blend", shots) as screen:
        afternoon = Afternoon(screen)
        afternoon.figures["blender"] = screen.ask("bpy.app.version_string")
        afternoon.figures["window_open_s"] = round(time.monotonic() - start, 1)
        step("open the panel", afternoon.open_panel)
        before = screen.ask(SCENE)
        step("press the button", afternoon.animate)
        step("undo", lambda: afternoon.undo(before))
        step("press again", afternoon.again)
        step("kill the worker during a job", afternoon.kill_worker)
        step("press again", afternoon.again)
        step("cancel a hung job", afternoon.cancel)
        step("press again", afternoon.again)
        step("press by search", afternoon.press_by_search)
        step("press in the sequencer", afternoon.press_in_sequencer)
        step("paint what is heard", afternoon.paint_what_is_heard)
        step("export", afternoon.export)
        step("match reordered vertices", afternoon.match_vertices)
        step("save, reopen, press again", afternoon.save_and_reopen)
        step("quit during a job", afternoon.quit_in_the_middle)
        (SHARE / "window.json").write_text(json.dumps(afternoon.figures, indent=1))


def step(name: str, action: Callable[[], object]) -> None:
    """Do one step and say so."""
    start = time.monotonic()
    action()
    print(f"{time.monotonic() - start:6.1f} s  {name}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
