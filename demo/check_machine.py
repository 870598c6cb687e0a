"""Says in one line what this machine lacks before anything is downloaded; exit code 2 if so.

Runs with the system's Python, which may be old: no syntax or module newer than Python 3.6 here.
"""

import ctypes
import importlib.util
import sys

# Shared library that the bpy wheel links to -> the Debian package that has it.
LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
}
PYTHONS_WITH_BPY = ((3, 11), (3, 13))


def python_problem(major: int, minor: int) -> str:
    """The complaint about an interpreter of this version, or an empty string."""
    if (major, minor) in PYTHONS_WITH_BPY:
        return ""
    return (
        f"Python {major}.{minor} has no Blender module (bpy): Python 3.11 or 3.13 is needed. "
        "Name one: make PYTHON=python3.11"
    )


def venv_problem() -> str:
    """The complaint about a Python without its venv module (Debian splits it off), or nothing."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return ""
    major, minor = sys.version_info[:2]
    return f"Python's venv module is missing: apt-get install python{major}.{minor}-venv"


def library_problem() -> str:
    """The complaint about missing shared libraries with the packages that have them, or nothing."""
    missing = [name for name in LIBRARIES if not loads(name)]
    if not missing or not sys.platform.startswith("linux"):
        return ""
    packages = " ".join(LIBRARIES[name] for name in missing)
    return (
        f"Blender's module needs {', '.join(missing)}: "
        f"apt-get install --no-install-recommends {packages}"
    )


def loads(name: str) -> bool:
    """Whether the dynamic linker finds the shared library `name`."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def main() -> int:
    """Print every problem, one line each; exit code 2 if there is one."""
    problems = (python_problem(*sys.version_info[:2]), venv_problem(), library_problem())
    found = [problem for problem in problems if problem]
    for problem in found:
        print(problem, file=sys.stderr)
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main())
