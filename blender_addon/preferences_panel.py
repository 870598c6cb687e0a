"""The lower part of the extension's page in Blender's preferences: models, worker, log."""

from typing import Any

import bpy

from . import models, packs, session
from .wrapping import draw_wrapped

_PAGE_LETTERS, _MODEL_LETTERS = 90, 76


def draw(layout: Any, context: bpy.types.Context) -> None:
    """What is there and what can be done with it; reads no file."""
    header = layout.row()
    header.label(text="Models")
    header.operator("soliloquy.install_model", icon="IMPORT")
    box = layout.box().column()
    for entry in models.entries(context):
        _draw_model(box, entry)
    header = layout.row()
    header.label(text="Worker")
    for name, icon in (("self_test", "CHECKMARK"), ("look_at_worker", "FILE_REFRESH"),
                       ("open_logs", "FILE_FOLDER")):
        header.operator(f"soliloquy.{name}", icon=icon)
    _draw_report(layout.box().column(align=True))


def _draw_model(layout: Any, entry: packs.Entry) -> None:
    row = layout.split(factor=0.78)
    words = row.column(align=True)
    if entry.problem:
        draw_wrapped(words, entry.problem, "ERROR", _MODEL_LETTERS)
    else:
        words.label(text=f"{entry.name}: {entry.what}", icon="MONKEY")
        words.label(text=f"{entry.licence}, {entry.size_mb:.1f} MB", icon="BLANK1")
        for line in entry.figures:
            draw_wrapped(words, line, "BLANK1", _MODEL_LETTERS)
    if entry.shipped:
        row.label(text="comes with Soliloquy")
    else:
        row.operator("soliloquy.remove_model", text="", icon="TRASH").model = entry.path.name


def _draw_report(layout: Any) -> None:
    current = session.CURRENT
    if current.job is not None:
        layout.progress(factor=current.job.fraction, text=current.job.label)
        layout.operator("soliloquy.cancel", icon="CANCEL")
    elif current.failed:
        draw_wrapped(layout, f"{current.message} {current.hint}", "ERROR", _PAGE_LETTERS)
    for line in current.report or ["Self-Test tells what works, how fast, in how much memory"]:
        draw_wrapped(layout, line, width=_PAGE_LETTERS)
