"""List the installed models."""

import argparse
import sys

from .. import pack
from ..errors import SoliloquyError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(options: argparse.Namespace) -> int:
    """Print each model with what it animates and where it lies; returns 2 when one is broken."""
    code = 0
    for path in pack.installed():
        try:
            manifest = pack.read_manifest(path)
            print(_described(manifest), *manifest.figures, path, sep="\n  ")
        except SoliloquyError as problem:
            print(problem, file=sys.stderr)
            code = 2
    if not pack.installed():
        print(f"No model is installed in {pack.model_folders()[-1]}.", file=sys.stderr)
    return code


def _described(manifest: pack.Manifest) -> str:
    topology = manifest.topology
    emotions = f", emotions {', '.join(manifest.emotions)}" if manifest.emotions else ""
    return (f"{manifest.name}: {manifest.method}, {topology.name} ({topology.vertex_count} "
            f"vertices), {manifest.fps:g} fps, styles {', '.join(manifest.styles)}{emotions}")
