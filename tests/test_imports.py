"""Who may import whom: the architecture as a table that cannot lie."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("backend", "training", "benchmarks", "blender_addon", "build_addon")

CONTRACT = {"backend.errors", "backend.messages", "backend.pack", "backend.sound_kinds",
            "backend.typed_json"}
NUMERICS = {f"backend.{name}" for name in
            ("audio", "codebook", "crossings", "emotions", "features", "hearing", "motion", "redo",
             "sampler", "schedule", "styles", "windows")}
SOUND = {"numpy", "soundfile", "soxr", "scipy"}
TORCH = {"numpy", "scipy", "torch", "torchaudio", "transformers", "trimesh", "onnx", "soundfile",
         "soxr", "matplotlib", "accelerate", "tqdm", "safetensors", "h5py", "alembic3d", "PIL",
         "pocketsphinx", "sklearn"}
BLENDER = {"bpy", "bpy_extras", "mathutils", "gpu", "blf", "aud", "bmesh", "addon_utils"}
DOOR = {"backend.emotions", "backend.errors", "backend.messages", "backend.pack", "backend.motion",
        "backend.redo", "backend.sound_kinds"}
ADDON = {"blender_addon"}
# Where the installed add-on holds backend; naming all of blender_addon does not include it.
EMBEDDED = "blender_addon.backend"

# Module prefix -> what it may import beside the standard library; the longest prefix decides. An
# entry allows itself and what lies below it; bare "backend" allows only the package itself.
ALLOWED: dict[str, set[str]] = {
    "backend": set(),
    **dict.fromkeys(CONTRACT, CONTRACT),
    **dict.fromkeys(NUMERICS, CONTRACT | NUMERICS | SOUND),
    "backend.sessions": CONTRACT | {"numpy", "onnxruntime", "backend.features"},
    "backend.pipeline": CONTRACT | NUMERICS | {"numpy", "backend.sessions"},
    "backend.server": CONTRACT | {"backend", "backend.pipeline", "backend.sessions"},
    "backend.commands": CONTRACT | NUMERICS | {"numpy", "backend", "backend.pipeline",
                                               "backend.sessions", "backend.server",
                                               "backend.commands"},
    "backend.__main__": CONTRACT | {"backend.commands"},
    "training": CONTRACT | NUMERICS | TORCH | {"backend", "training"},
    "training.export": CONTRACT | NUMERICS | TORCH | {"backend", "training", "backend.sessions",
                                                      "onnxruntime"},
    # Evaluation hears a pack exactly as Blender does.
    # Evaluation and the comparison with torch run a pack exactly as Blender does.
    **dict.fromkeys(("training.speaking", "training.parity"),
                    CONTRACT | NUMERICS | TORCH | {"backend", "training", "backend.pipeline",
                                                   "backend.sessions"}),
    # Nothing imports benchmarks.
    "benchmarks": CONTRACT | NUMERICS | TORCH | {"training", "benchmarks"},
    "benchmarks.passes": {"numpy", "onnxruntime"},
    # Presses the button in a Blender, which has neither torch nor backend.
    "benchmarks.press": BLENDER | ADDON,
    "blender_addon": BLENDER | ADDON | {"numpy"},
    "blender_addon._backend": DOOR | {"backend"} | {f"blender_addon.{name}" for name in DOOR}
    | {EMBEDDED},
    "blender_addon.head": ADDON | {"numpy"},
    "build_addon": set(),
}
# The files of blender_addon/head that draw Blender in; the rest run without it.
HEAD_WITH_BLENDER = ("add_head",)
ALLOWED.update({f"blender_addon.head.{name}": BLENDER | ADDON | {"numpy"}
                for name in HEAD_WITH_BLENDER})
PACKAGES_ONLY = {"backend", EMBEDDED}


def violations(root: Path) -> list[str]:
    """One line for each import in the packages under `root` that the table does not allow."""
    return [f"{path.relative_to(root).as_posix()}:{line} {module} may not import {target}"
            for path, module in modules(root)
            for line, target in imports(path, module)
            if not may(module, target)]


def modules(root: Path) -> Iterator[tuple[Path, str]]:
    for package in PACKAGES:
        files = [root / f"{package}.py"] if package == "build_addon" else (root / package).rglob(
            "*.py")
        for path in sorted(file for file in files if file.is_file()):
            parts = path.relative_to(root).with_suffix("").parts
            yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, module: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, TYPE_CHECKING blocks and functions included."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, target) for target in from_targets(node, package))


def from_targets(node: ast.ImportFrom, package: str) -> Iterator[str]:
    """`from x import y` names x.y when that may be a module of ours, else x."""
    base = node.module or ""
    if node.level:
        up = package.split(".")[:len(package.split(".")) - node.level + 1]
        base = ".".join([*up, base] if base else up)
    ours = base.split(".")[0] in PACKAGES
    for alias in node.names:
        name = f"{base}.{alias.name}"
        yield name if ours and is_module(name) else base


def is_module(name: str) -> bool:
    """Whether a dotted name is a file or folder here; installed, blender_addon holds backend."""
    checkout = name.removeprefix("blender_addon.") if inside(name, EMBEDDED) else name
    path = ROOT.joinpath(*checkout.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def may(module: str, target: str) -> bool:
    if target.split(".")[0] in sys.stdlib_module_names:
        return True
    allowed = ALLOWED[max((key for key in ALLOWED if inside(module, key)), key=len)]
    if inside(target, EMBEDDED):
        allowed = {entry for entry in allowed if inside(entry, EMBEDDED)}
    return any(target == entry if entry in PACKAGES_ONLY else inside(target, entry)
               for entry in allowed)


def inside(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def test_every_import_follows_the_table():
    assert violations(ROOT) == []


def test_inside_backend_imports_of_backend_are_relative():
    absolute = [f"{path.name}:{node.lineno}" for path, module in modules(ROOT)
                if inside(module, "backend")
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if (isinstance(node, ast.ImportFrom) and not node.level
                    and inside(node.module or "", "backend"))
                or (isinstance(node, ast.Import)
                    and any(inside(alias.name, "backend") for alias in node.names))]
    assert absolute == []


@pytest.mark.parametrize(("file", "line", "message"), [
    ("training/loop.py", "from backend import sessions", "backend.sessions"),
    ("backend/pipeline.py", "import torch.nn", "torch.nn"),
    ("backend/pack.py", "def f():\n    import numpy", "numpy"),
    ("backend/sampler.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
     "    from .sessions import Sessions", "backend.sessions"),
    ("blender_addon/_backend.py", "import bpy", "bpy"),
    ("blender_addon/panels.py", "from backend import motion", "backend.motion"),
    ("blender_addon/worker.py", "from .backend import pipeline", "blender_addon.backend.pipeline"),
    ("blender_addon/head/generate.py", "import bpy", "bpy"),
    ("backend/audio.py", "from ..training import loop", "training"),
])
def test_a_planted_violation_is_caught_and_named(tmp_path, file, line, message):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(line, encoding="utf-8")
    module = file.removesuffix(".py").replace("/", ".")
    number = line.count("\n") + 1
    found = violations(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(f"{file}:{number} {module} may not import {message}")


def loaded_after(imported: str) -> set[str]:
    """Names of all modules in a fresh interpreter that has imported one."""
    script = f"import sys, {imported}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_pipeline_runs_without_torch():
    loaded = loaded_after("backend.pipeline")
    assert "onnxruntime" in loaded and not {"torch", "bpy", "scipy"} & loaded


def test_the_contract_needs_the_standard_library_only():
    loaded = loaded_after(", ".join(sorted(CONTRACT)))
    assert not {"numpy", "onnxruntime", "soundfile"} & loaded
