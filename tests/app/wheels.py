"""`make test-wheels`: the built zip in the Blender modules (bpy wheels) of several versions.

Each gets a virtual environment of its own in build/venvs (a gigabyte, once); Python 3.11 only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import build_addon  # noqa: E402

VERSIONS = ("4.2.23", "4.5.15", "5.0.1")
INSTALL_AND_RUN = """
import bpy, runpy, sys
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[1], repo="user_default", enable_on_install=True, overwrite=True)
runpy.run_path(sys.argv[2])
"""


def environment(version: str) -> Path:
    """The Python of a virtual environment with that bpy, made if it is not there yet."""
    folder = ROOT / "build" / "venvs" / f"bpy-{version}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        # bpy 4.2 asks for any numpy, but its application ships numpy 1.
        packages = [f"bpy=={version}", "numpy==1.26.4"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "complete").touch()
    return python


def try_in(version: str, extension: Path, folder: Path) -> dict[str, object]:
    """Install the zip into a Blender of `version` that has never run, and press the button."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "user").mkdir(parents=True)
    shutil.copy(ROOT / "demo" / "line.wav", folder)
    headless = Path(__file__).with_name("headless.py")
    subprocess.run(
        [environment(version), "-c", INSTALL_AND_RUN, extension, headless, "--", folder],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user")},
        check=True,
    )
    found: dict[str, object] = json.loads((folder / "headless.json").read_text())
    return found


def main() -> int:
    """Try every version; one line each."""
    if sys.version_info[:2] != (3, 11):
        print("make test-wheels: these bpy wheels are for Python 3.11", file=sys.stderr)
        return 2
    extension = build_addon.build("linux-x64", "cpu", ROOT / "dist")
    results = [try_in(version, extension, ROOT / "out/wheels" / version) for version in VERSIONS]
    for result in results:
        print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
