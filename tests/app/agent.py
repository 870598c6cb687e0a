"""Runs inside a Blender window: answers the driver's questions from a timer, on the main thread.

The driver writes calls/N.py (one expression, or statements); the answer goes to calls/N.json.
"""

import json
import traceback
from pathlib import Path

import bpy

CALLS = Path("/share/calls")
NAMES = {"bpy": bpy}


def answer(path: Path) -> dict:
    """Evaluate the expression in `path`, or execute its statements."""
    code = path.read_text(encoding="utf-8")
    try:
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
            try:
                return {"value": eval(compile(code, path.name, "eval"), NAMES)}
            except SyntaxError:
                exec(compile(code, path.name, "exec"), NAMES)
                return {"value": None}
    except Exception:
        return {"error": traceback.format_exc()}


def tick() -> float:
    """Answer what was asked since the last tick."""
    for path in sorted(CALLS.glob("*.py")):
        reply = json.dumps(answer(path))
        path.unlink()
        part = path.with_suffix(".part")
        part.write_text(reply, encoding="utf-8")
        part.rename(path.with_suffix(".json"))
    return 0.02


bpy.app.timers.register(tick, persistent=True)
