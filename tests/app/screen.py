"""A Blender window on a virtual screen, driven as a person would: by mouse, keys and eyes."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHARE = Path("/share")
SIZE = (1280, 800)
DISPLAY = ":78"

_SHOW_TAB = """
for area in bpy.context.window_manager.windows[0].screen.areas:
    if area.type == "{editor}":
        area.spaces.active.show_region_ui = True
        next(r for r in area.regions if r.type == "UI").active_panel_category = "{tab}"
"""
_SIDEBAR = (
    "[[r.x, r.y, r.width, r.height] for a in bpy.context.window_manager.windows[0].screen.areas"
    " if a.type == '{editor}' for r in a.regions if r.type == 'UI'][0]"
)


class Screen:
    """A virtual screen with one Blender on it; use as a context manager."""

    def __init__(self, blend: Path, shots: Path) -> None:
        self.shots = shots
        self.calls = SHARE / "calls"
        self.calls.mkdir(exist_ok=True)
        self.numbers = itertools.count()
        environment = {**os.environ, "DISPLAY": DISPLAY}
        size = f"{SIZE[0]}x{SIZE[1]}x24"
        self.server = subprocess.Popen(
            ["Xvfb", DISPLAY, "-screen", "0", size, "-noreset"], stderr=subprocess.DEVNULL
        )
        time.sleep(1.0)  # Blender does not wait for a screen that is not there yet
        log = (SHARE / "blender.log").open("ab")
        window = ["--window-geometry", "0", "0", *map(str, SIZE)]
        self.blender = subprocess.Popen(
            ["blender", str(blend), *window, "-noaudio", "--python", str(SHARE / "app/agent.py")],
            env=environment,
            stdout=log,
            stderr=log,
        )

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_error: object) -> None:
        self.blender.kill()
        self.server.kill()

    def ask(self, code: str, timeout_s: float = 300.0) -> Any:
        """The value of an expression in Blender, or None for statements; RuntimeError as raised."""
        path = self.calls / f"{next(self.numbers):06d}.py"
        part = path.with_suffix(".new")
        part.write_text(code, encoding="utf-8")
        part.rename(path)
        reply_path = path.with_suffix(".json")
        self.wait(lambda: reply_path.exists(), f"an answer to {code!r}", timeout_s, poll_s=0.01)
        reply = json.loads(reply_path.read_text(encoding="utf-8"))
        if "error" in reply:
            raise RuntimeError(f"{code}\n{reply['error']}")
        return reply["value"]

    def wait(
        self, ready: Callable[[], bool], what: str, timeout_s: float, poll_s: float = 0.05
    ) -> float:
        """Wait until `ready()`; returns the seconds it took, AssertionError after `timeout_s`."""
        start = time.monotonic()
        while not ready():
            assert self.blender.poll() is None, f"Blender ended while waiting for {what}"
            assert time.monotonic() - start < timeout_s, f"waited {timeout_s} s for {what}"
            time.sleep(poll_s)
        return time.monotonic() - start

    def sidebar(self, editor: str = "VIEW_3D", most_high: int = SIZE[1]) -> str:
        """Where an editor's sidebar is on the screen, as ImageMagick writes it."""
        left, bottom, width, height = self.ask(_SIDEBAR.format(editor=editor))
        return f"{width}x{min(height, most_high)}+{left}+{SIZE[1] - bottom - height}"

    def shot(self, name: str, part: str = f"{SIZE[0]}x{SIZE[1]}+0+0") -> None:
        """Keep a picture of a part of the screen as NAME.png."""
        self.ask("[area.tag_redraw() for area in bpy.context.window.screen.areas] and None")
        time.sleep(1.0)  # drawing in software takes a moment
        path = str(self.shots / f"{name}.png")
        self._run("import", "-window", "root", "-crop", part, "+repage", path)

    def move(self, x: int, y: int) -> None:
        """Move the mouse to x, y (from the top left), by two steps so that Blender sees it move."""
        self._run("xdotool", "mousemove", str(x), str(y), "mousemove_relative", "1", "1")

    def click(self, x: int, y: int) -> None:
        """Move there and press the left button."""
        self.move(x, y)
        time.sleep(0.3)
        self._run("xdotool", "click", "1")

    def key(self, name: str) -> None:
        """Press a key such as Escape or ctrl+z where the mouse is."""
        self._run("xdotool", "key", name)

    def type(self, text: str) -> None:
        """Type a text where the mouse is."""
        self._run("xdotool", "type", "--delay", "60", text)

    def show_tab(self, tab: str, editor: str = "VIEW_3D") -> None:
        """Open an editor's sidebar at `tab`; a sidebar's tab can be set only once it is drawn."""
        for _attempt in range(20):
            try:
                return self.ask(_SHOW_TAB.format(tab=tab, editor=editor))
            except RuntimeError:
                time.sleep(0.2)
        raise AssertionError(f"the sidebar has no tab {tab}")

    def find_button(self, operator: str, editor: str = "VIEW_3D") -> tuple[int, int]:
        """Where the sidebar has a button for `operator`: Ctrl+C over a button copies its call."""
        left, bottom, width, height = self.ask(_SIDEBAR.format(editor=editor))
        x = left + width // 2
        for y in range(SIZE[1] - bottom - height + 12, SIZE[1] - bottom, 9):
            self.ask("setattr(bpy.context.window_manager, 'clipboard', '')")
            self.move(x, y)
            time.sleep(0.12)
            self.key("ctrl+c")
            time.sleep(0.06)
            if operator in self.ask("bpy.context.window_manager.clipboard"):
                return x, y
        raise AssertionError(f"no button for {operator} in the sidebar")

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, env={**os.environ, "DISPLAY": DISPLAY})
