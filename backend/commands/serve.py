"""Answer Blender's requests until stdin closes."""

import argparse

from ..server import serve
from ..sessions import DEVICES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The one choice a worker has."""
    parser.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> int:
    """Serve; returns the exit code."""
    return serve(options.device)
