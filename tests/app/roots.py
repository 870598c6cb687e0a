"""A folder with a whole Debian and its real Blender, and a way to run commands inside it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Debian's Blender needs the Python packages without asking for them; cattr is for 5.2's extensions.
PACKAGES = """
    blender xvfb xauth xdotool imagemagick libgl1-mesa-dri libegl1 ffmpeg
    python3-numpy python3-requests python3-zstandard python3-cattr
"""

# Mounts, processes and network are the command's own: when it ends, nothing of it is left, and the
# folder can be removed at any time.
_ENTER = """
set -e
root=$1; share=$2; shift 2
mount --rbind /sys "$root/sys"; mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/share"; mount --bind "$share" "$root/share"
exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive LIBGL_ALWAYS_SOFTWARE=1 "$@"
"""


class RootError(Exception):
    """No real Blender can be had on this machine; the text is one line that says why."""


def check_machine() -> None:
    """RootError unless this process may make and enter a Debian folder."""
    if os.geteuid() != 0:
        raise RootError("the test in a real Blender needs root (it makes a Debian folder to run).")
    if shutil.which("debootstrap") is None:
        raise RootError("debootstrap is missing: apt-get install debootstrap")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"]).returncode:
        raise RootError("this machine lets no process have mounts of its own (unshare failed).")


def make(suite: str, root: Path) -> None:
    """Make `root` a Debian of `suite` (trixie, sid) with Blender, if it is not one yet."""
    if (root / "usr" / "bin" / "blender").exists():
        return
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", suite, root], check=True)
    refuse_services = root / "usr" / "sbin" / "policy-rc.d"
    refuse_services.write_text("#!/bin/sh\nexit 101\n")
    refuse_services.chmod(0o755)
    # A mirror that stands still for reproducible builds has an expired release file.
    (root / "etc/apt/apt.conf.d/any-date").write_text('Acquire::Check-Valid-Until "false";\n')
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    install = f"apt-get install -qq --no-install-recommends {' '.join(PACKAGES.split())}"
    command = ["sh", "-c", f"apt-get update -qq && {install} >/dev/null && apt-get clean"]
    enter(root, root.parent, command, network=True)


def enter(root: Path, share: Path, command: Sequence[str], network: bool = False) -> None:
    """Run `command` in `root` with the folder `share` at /share; CalledProcessError if it fails."""
    spaces = ["--mount", "--pid", "--fork", "--kill-child", *([] if network else ["--net"])]
    script = ["bash", "-c", _ENTER, "enter", str(root), str(share)]
    subprocess.run(["unshare", *spaces, *script, *command], check=True)
