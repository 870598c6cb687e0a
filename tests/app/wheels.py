"""`make test-wheels`: the built zip in the Blender modules (bpy wheels) of several versions, then
the tests of the add-on in each.

One version after the other, each in a virtual environment of its own in build/venvs: a gigabyte,
which goes again when that version has passed. With --keep it stays for the next run; with
--press-only the tests are left out. Python 3.11 has wheels of 4.2, 4.5 and 5.0, 3.13 of 5.2.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import build_addon  # noqa: E402

# There is one bpy wheel for each version, for the Python that Blender has in it.
VERSIONS = {(3, 11): ("4.2.23", "4.5.15", "5.0.1"), (3, 13): ("5.2.3",)}
INSTALL_AND_RUN = """
import bpy, runpy, sys
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[1], repo="user_default", enable_on_install=True, overwrite=True)
runpy.run_path(sys.argv[2])
"""

# Some modules crash in their own exit (4.2) when an add-on was registered; all is done by then.
TEST = """
import os, pytest, sys
code = pytest.main(["-q", "-p", "no:cacheprovider", "tests/addon"])
sys.stdout.flush()
os._exit(code)
"""


def home(version: str) -> Path:
    """Where the virtual environment with that bpy lies."""
    return ROOT / "build" / "venvs" / f"bpy-{version}"


def environment(version: str) -> Path:
    """The Python of a virtual environment with that bpy, made if it is not there yet."""
    folder = home(version)
    python, packages = folder / "bin" / "python", [f"bpy=={version}", *pinned()]
    complete = folder / "complete"
    if not complete.exists() or complete.read_text() != "\n".join(packages):
        if not python.exists():
            venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", *packages]
        subprocess.run(install, check=True)
        complete.write_text("\n".join(packages))
    return python


def pinned() -> list[str]:
    """What the worker, Blender's extension system and the add-on's tests import, as pyproject.toml
    pins it. That includes Blender's own numpy; the module of 4.2 itself asks for any."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    beside = [each for name in ("training", "blender", "dev") for each in extras[name]
              if each.split("==")[0] in ("onnx", "cattrs", "pytest", "pytest-timeout")]
    return [*extras["backend"], *beside]


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


def run_tests(version: str) -> None:
    """The add-on's own tests in that Blender; CalledProcessError when one fails."""
    print(f"--- tests of the add-on in {version}", flush=True)
    subprocess.run([environment(version), "-B", "-c", TEST], cwd=ROOT, check=True)


def main() -> int:
    """Try every version; one line of figures each."""
    python = sys.version_info[:2]
    if python not in VERSIONS:
        print("make test-wheels: there are bpy wheels for Python 3.11 and 3.13", file=sys.stderr)
        return 2
    extension = build_addon.build("linux-x64", "cpu", ROOT / "dist")
    for version in VERSIONS[python]:
        print(try_in(version, extension, ROOT / "out/wheels" / version), flush=True)
        if "--press-only" not in sys.argv:
            run_tests(version)
        if "--keep" not in sys.argv:
            shutil.rmtree(home(version))
    return 0


if __name__ == "__main__":
    sys.exit(main())
