"""Show versions and devices, and verify and try every installed model."""

import argparse
import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .. import __version__, audio, pack
from ..errors import SoliloquyError
from ..pipeline import Generator
from ..sessions import DEVICES, Device, choose_device, versions

_PACKAGES = ("numpy", "soundfile", "soxr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The device to try the models on."""
    parser.add_argument("--device", choices=DEVICES, default="auto")


def run(options: argparse.Namespace) -> int:
    """Print the report; returns 2 when a model is broken or none is installed."""
    device = choose_device(options.device)
    print(f"soliloquy {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for name, version in (*_package_versions(), *versions().items()):
        print(f"{name}: {version}")
    print(f"device: {device.note}")
    results = [_verify(path, device) for path in pack.installed()]
    if not results:
        print(f"No model is installed in {pack.model_folders()[-1]}.", file=sys.stderr)
    return 0 if results and all(results) else 2


def _package_versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield name, "version unknown"


def _verify(path: Path, device: Device) -> bool:
    """Checksums first, then a second of sound through the whole model."""
    try:
        found = pack.load(path)
        motion = Generator(found, device).generate(_hum())
    except SoliloquyError as problem:
        print(problem, file=sys.stderr)
        return False
    size_mb = sum(entry.bytes for entry in found.manifest.files.values()) / 1e6
    print(f"model {found.manifest.name}: good, {size_mb:.1f} MB, {len(motion.displacements)} "
          f"frames of {motion.displacements.shape[1]} vertices made")
    return True


def _hum() -> audio.Sound:
    """One second of a tone at 16 kHz."""
    samples = 0.3 * np.sin(2 * np.pi * 150 * np.arange(16000) / 16000)
    return audio.Sound(samples.astype(np.float32), 16000, 1.0)
