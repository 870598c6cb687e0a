"""Write what was measured into a pack's manifest, so that who chooses a model sees its figures.

The figures are read from what `evaluate --alignments` and `evaluate` wrote, not typed.
"""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from backend import pack
from backend.errors import SoliloquyError


class LabelError(SoliloquyError):
    """A file that holds no such figures."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("label", message, hint)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--pack", type=Path, required=True, help="the pack's folder")
    parser.add_argument("--lipsync", type=Path, required=True,
                        help="what evaluate wrote of this pack with --audio and --alignments")


def run(args: argparse.Namespace) -> None:
    """Rewrite the manifest with the figures; raises LabelError, PackError."""
    manifest = pack.read_manifest(args.pack)
    line = on_real_speech(args.lipsync)
    pack.write(args.pack, dataclasses.replace(manifest, figures=(line,)))
    print(line)


def on_real_speech(path: Path) -> str:
    """The lip-sync report's row of all clips in one line; raises LabelError."""
    try:
        rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        whole, clips = rows["all"], sum(not name.startswith("all") for name in rows)
        return (f"Real speech, {clips} clips: AUC {whole['auc']:.3f}, correlation "
                f"{whole['corr']:.3f}, lag {whole['lag_ms']:.0f} ms, p b m closed "
                f"{whole['closure']:.2f} ({whole['closure_ch']:.2f} by chance)")  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} is no lip-sync report: {error}"
        hint = "write one: python -m training evaluate --pack PACK --audio DIR --alignments DIR"
        raise LabelError(message, hint) from error
