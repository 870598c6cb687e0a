"""What a press costs an artist: seconds to finished keys, the longest stall, playback, file growth.

    python -m benchmarks.press [--audio A.wav] [--out out/press.json]             the bpy wheel
    blender -b --python benchmarks/press.py -- [--audio A.wav] [--out PRESS.json] an application

Ten seconds of sound on the Soliloquy head with the shipped model. An application must have the
extension enabled. Run it on an idle machine.
"""

import argparse
import json
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import bpy

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 10
FPS = 30
MODEL = "gldi-flame"


def main(arguments: list[str]) -> int:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", type=Path, default=ROOT / "demo" / "line.wav")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "press.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(options.audio, Path(folder))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1))
    print(json.dumps(figures, indent=1))
    return 0


def measured(audio: Path, folder: Path) -> dict[str, object]:
    """All figures: a first press with a new worker, a second with the warm one."""
    session = add_on()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.soliloquy.add_head()
    face, settings = bpy.context.object, bpy.context.scene.soliloquy
    bpy.context.scene.render.fps = FPS
    settings.source, settings.face, settings.model = "FILE", face, MODEL
    settings.filepath = str(ten_seconds(audio, folder / "ten.wav"))
    before = saved_mb(folder / "before.blend")
    cold_s = press()
    grown = saved_mb(folder / "after.blend") - before
    cold_stall_s, session.longest_tick_s = session.longest_tick_s, 0.0
    settings.seed = 1
    warm_s = press()
    return {"blender": bpy.app.version_string, "vertices": len(face.data.vertices),
            "cold_press_s": round(cold_s, 2), "warm_press_s": round(warm_s, 2),
            "cold_stall_ms": round(1e3 * cold_stall_s),
            "warm_stall_ms": round(1e3 * session.longest_tick_s),
            "playback_fps": round(playback_fps()), "blend_growth_mb": round(grown, 2)}


def add_on() -> Any:
    """The add-on's session: of the enabled extension, or of this checkout."""
    if not hasattr(bpy.types.Scene, "soliloquy"):
        import blender_addon

        blender_addon.register()
    name = next(name for name in sys.modules if name.endswith((".soliloquy.session",
                                                               "blender_addon.session")))
    session = sys.modules[name].CURRENT
    session.end()
    session.longest_tick_s = 0.0
    return session


def ten_seconds(audio: Path, path: Path) -> Path:
    """The sound, repeated and cut to ten seconds."""
    with wave.open(str(audio), "rb") as file:
        kind, content = file.getparams(), file.readframes(file.getnframes())
    size = SECONDS * kind.framerate * kind.nchannels * kind.sampwidth
    with wave.open(str(path), "wb") as file:
        file.setparams(kind)
        file.writeframes((content * (size // len(content) + 1))[:size])
    return path


def press() -> float:
    """Seconds from the press to finished keys."""
    began = time.perf_counter()
    assert bpy.ops.soliloquy.animate_from_audio() == {"FINISHED"}
    return time.perf_counter() - began


def playback_fps() -> float:
    """Frames per second at which Blender can evaluate the result."""
    frames = range(1, SECONDS * FPS + 1)
    bpy.context.scene.frame_set(1)
    began = time.perf_counter()
    for frame in frames:
        bpy.context.scene.frame_set(frame)
    return len(frames) / (time.perf_counter() - began)


def saved_mb(path: Path) -> float:
    """The size of the file as saved without compression."""
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False, copy=True)
    return path.stat().st_size / 1e6


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else sys.argv[1:]
    sys.exit(main([] if words and words[0].endswith(".py") else words))
