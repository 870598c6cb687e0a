"""The picture of emotions in README.md: the head says one word of its line, each emotion painted.

    python demo/emotions.py --out docs/emotions.png

It presses the buttons of the add-on as it lies in this checkout, in Blender as a module.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "demo")]

# Before bpy is imported: no settings of the user's own.
os.environ["BLENDER_USER_RESOURCES"] = str(ROOT / "build" / "demo-user")

MODEL = "exptalk-flame"
EMOTIONS = ("neutral", "happy", "sad", "surprised", "fear", "disgusted", "angry", "contempt")
MOMENT = "ay"  # a phone of the line, open enough to show what the mouth does


def main() -> int:
    """Render the strip."""
    parser = argparse.ArgumentParser(description="Draw one word in eight emotions.")
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.resolve()
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    import blender_addon

    blender_addon.register()
    draw(bpy, out)
    return 0


def draw(bpy: Any, out: Path) -> None:
    """One picture for each emotion, side by side."""
    import film
    import stage

    import demo

    bpy.context.scene.soliloquy.model = MODEL
    head = demo.animate()
    stage.build(head)
    times = dict(film.moments(demo.DEMO / "line.phones"))
    frame = 1 + round(times[MOMENT] * demo.FPS)
    film.row(head, out, ((name, lambda name=name: perform(bpy, head, name, frame))
                         for name in EMOTIONS))  # fmt: skip


def perform(bpy: Any, head: Any, emotion: str, frame: int) -> None:
    """Say the whole line in one emotion, and show one frame."""
    scene = bpy.context.scene
    strips = scene.sequence_editor.strips
    if len(strips) > 1:
        bpy.ops.soliloquy.clear_emotions()
    scene.frame_set(0)  # outside the sound: the range covers all of it
    _choose(bpy, strips, head)
    bpy.ops.soliloquy.add_emotion(emotion=emotion)
    _choose(bpy, strips, head)
    if bpy.ops.soliloquy.animate_from_audio() != {"FINISHED"}:
        raise SystemExit(f"the face did not learn to be {emotion}")
    scene.frame_set(frame)


def _choose(bpy: Any, strips: Any, head: Any) -> None:
    """Select the sound and the face, as the artist would."""
    for strip in strips:
        strip.select = strip.type == "SOUND"
    bpy.context.view_layer.objects.active = head


if __name__ == "__main__":
    sys.exit(main())
