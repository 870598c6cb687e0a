"""`make test-app`: the built zip in a real Blender application, headless and in a window.

Needs root: it makes a Debian folder with Blender (build/roots/SUITE, once) and works inside it,
without a network. Pictures and figures stay in --out. Exit code 2 where this cannot be done.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import roots

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import build_addon  # noqa: E402

HERE = Path(__file__).resolve().parent
INSTALL = "blender --command extension install-file -r user_default -e /share/soliloquy.zip"
PREPARATION = (
    ("install", INSTALL),
    ("headless", "blender -b --python /share/app/headless.py -- /share"),
)  # fmt: skip
COMMANDS = (
    *PREPARATION,
    ("plays without the add-on", "blender -b --factory-startup /share/talking.blend"
     " --python /share/app/plays.py"),
    ("in a window", "python3 /share/app/drive_window.py"),
)  # fmt: skip
PICTURES = (*PREPARATION, ("pictures", "python3 /share/app/pictures.py"))


def prepare(share: Path) -> None:
    """Fill the folder that the Debian folder sees as /share."""
    shutil.rmtree(share, ignore_errors=True)
    share.mkdir(parents=True)
    built = build_addon.build("linux-x64", "cpu", ROOT / "dist")
    shutil.copy(built, share / "soliloquy.zip")
    shutil.copy(ROOT / "demo" / "line.wav", share)
    shutil.copytree(ROOT / "tests" / "data" / "tiny_pack", share / "tiny_pack")
    shutil.copytree(HERE, share / "app", ignore=shutil.ignore_patterns("__pycache__"))


def run(suite: str, root: Path, share: Path, commands: tuple[tuple[str, str], ...]) -> None:
    """Every command in a fresh home; stops at the first that fails."""
    roots.check_machine()
    started = time.monotonic()
    roots.make(suite, root)
    print(f"{time.monotonic() - started:6.1f} s  Debian {suite} in {root}", flush=True)
    prepare(share)
    shutil.rmtree(root / "root" / ".config", ignore_errors=True)
    for name, command in commands:
        started = time.monotonic()
        print(f"--- {name}", flush=True)
        roots.enter(root, share, ["sh", "-c", command])
        print(f"{time.monotonic() - started:6.1f} s  {name}", flush=True)


def main() -> int:
    """Run it; one line for each figure, and one that says how it ended."""
    parser = argparse.ArgumentParser(description="Try the add-on in a real Blender.")
    parser.add_argument("--suite", choices=("trixie", "sid"), default="trixie")
    parser.add_argument("--root", type=Path, help="the Debian folder (default build/roots/SUITE)")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "app")
    parser.add_argument("--pictures", type=Path, help="take the guide's pictures into this folder")
    options = parser.parse_args()
    share = (options.out / options.suite).resolve()
    root = (options.root or ROOT / "build" / "roots" / options.suite).resolve()
    try:
        run(options.suite, root, share, PICTURES if options.pictures else COMMANDS)
    except roots.RootError as error:
        print(f"make test-app: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"test-app FAILED on {options.suite}: exit code {error.returncode}; see {share}")
        return 1
    if options.pictures:
        shutil.copytree(share / "shots", options.pictures, dirs_exist_ok=True)
        return 0
    for name in ("headless", "window"):
        print(name, json.loads((share / f"{name}.json").read_text(encoding="utf-8")))
    print(f"test-app passed on Debian {options.suite}; pictures in {share / 'shots'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
