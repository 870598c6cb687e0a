"""Tell what emotions a model hears in a sound, a line each, as `animate --emotion` takes them."""

import argparse
from pathlib import Path

from .. import emotions, pack
from ..messages import Listen
from ..pipeline import Generator
from ..sessions import DEVICES, choose_device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sound, and who listens."""
    parser.add_argument("audio", type=Path, help="a WAV, FLAC, OGG or MP3 file")
    parser.add_argument("--model", metavar="PACK", required=True,
                        help="a model with emotions: a shipped pack's name, a pack folder or its "
                        ".zip")
    parser.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> int:
    """Print the lane; returns 0."""
    generator = Generator(pack.load(pack.find(options.model)), choose_device(options.device))
    for span in generator.hear(Listen("", str(options.audio), "")).emotions:
        print(emotions.spelled(span))
    return 0
