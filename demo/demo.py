"""`make demo`: a head of our own says a line, through the built add-on and its worker process.

Writes demo.blend, demo.mp4 (with sound) and demo.png (a strip of telling frames) into --out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEMO = Path(__file__).resolve().parent
ROOT = DEMO.parent
sys.path.insert(0, str(ROOT))

import build_addon  # noqa: E402

# Blender keeps extensions here instead of in the user's own folder; read when bpy is imported.
USER = ROOT / "build" / "demo-user"
os.environ["BLENDER_USER_RESOURCES"] = str(USER)

FPS = 24
LINE = DEMO / "line.wav"


def main() -> int:
    """Build, install, animate, render; each step says how long it took."""
    parser = argparse.ArgumentParser(description="Make a head talk and film it.")
    parser.add_argument("--out", type=Path, default=ROOT / "out")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    platform = build_addon.this_platform()
    extension = timed("build the add-on", build_addon.build, platform, "cpu", ROOT / "dist")
    timed("install it in Blender", install, extension)
    head = timed("animate the face", animate)
    # Only now: these modules need the bpy that has been told where its user lives.
    import film
    import stage

    timed("set the stage", stage.build, head)
    timed("save demo.blend", film.save, out / "demo.blend")
    timed("film demo.mp4", film.video, out / "demo.mp4")
    timed("make demo.png", film.strip, head, out / "demo.png", DEMO / "line.phones")
    return 0


def timed(what: str, step: Callable[..., Any], *arguments: Any) -> Any:
    """Run one step of the demo and print its name and seconds."""
    start = time.perf_counter()
    result = step(*arguments)
    print(f"{time.perf_counter() - start:7.1f} s  {what}", flush=True)
    return result


def install(extension: Path) -> None:
    """Install the zip as a user would: from disk, into a Blender that never saw it."""
    shutil.rmtree(USER, ignore_errors=True)
    USER.mkdir(parents=True)
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.extensions.package_install_files(
        filepath=str(extension), repo="user_default", enable_on_install=True, overwrite=True
    )


def animate() -> Any:
    """Add the head and the sound strip, press the button; returns the head."""
    import bpy

    scene = bpy.context.scene
    scene.render.fps = FPS
    bpy.ops.soliloquy.add_head()
    head = bpy.context.object
    sequencer = scene.sequence_editor_create()
    strip = sequencer.strips.new_sound("Line", str(LINE), 1, 1)
    strip.select = True
    scene.frame_end = strip.frame_final_end
    if bpy.ops.soliloquy.animate_from_audio() != {"FINISHED"}:
        raise SystemExit("the add-on did not animate the face")
    return head


if __name__ == "__main__":
    sys.exit(main())
