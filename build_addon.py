"""Packs the Blender extension of one platform: add-on, backend, model packs and wheels.

    python build_addon.py [--platform linux-x64] [--provider cpu] --out dist/

Everything is staged in a temporary folder and zipped reproducibly as {id}-{version}-{platform}.zip;
tracked files stay as they are. The wheels are PyPI's own, unmodified: for each Python that a
Blender of the platform runs, since Blender refuses an extension with none for its own.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from typing import Any

ROOT = Path(__file__).resolve().parent
WHEEL_CACHE = ROOT / "build" / "wheels"
ZIP_TIME = (2020, 1, 1, 0, 0, 0)  # any fixed time: equal content gives equal bytes
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")

# Platform -> tags of the wheels that it can load. Blender looks only at the processor when it
# installs a wheel, so these tags decide the oldest system: glibc 2.28 (as Blender's own builds)
# and macOS 14 or, with an Intel processor, 13. pip itself adds older tags for macOS, not for Linux.
WHEEL_TAGS = {
    "linux-x64": ("manylinux_2_17_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64",),
    "macos-x64": ("macosx_13_0_x86_64",),
}
# Provider -> the package that stands in for onnxruntime, and the platforms it is published for.
PROVIDERS = {
    "cpu": ("onnxruntime", tuple(WHEEL_TAGS)),
    "cuda": ("onnxruntime-gpu", ("linux-x64", "windows-x64")),
    "directml": ("onnxruntime-directml", ("windows-x64",)),
}


def this_platform() -> str:
    """The platform this process runs on, by Blender's name for it."""
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
    return f"{system}-{'arm64' if machine() in ('arm64', 'aarch64') else 'x64'}"


class BuildError(Exception):
    """The zip cannot be built; the text is one line that says what to do."""


@dataclass(frozen=True)
class Contents:
    """What goes into one platform's zip: the pinned wheels and the Pythons they are for."""

    platform: str
    pins: tuple[str, ...]
    pythons: tuple[str, ...]

    def digest(self) -> str:
        """A short name for this choice of wheels, for the cache."""
        text = json.dumps([self.platform, self.pins, self.pythons, WHEEL_TAGS[self.platform]])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def contents(platform: str, provider: str, project: dict[str, Any]) -> Contents:
    """The pins in the parsed pyproject.toml; BuildError if `platform` lacks the provider."""
    package, platforms = PROVIDERS[provider]
    if platform not in platforms:
        raise BuildError(
            f"{provider} is not available on {platform}; it is on {', '.join(platforms)}."
        )
    table = project["tool"]["soliloquy"]["addon"]
    own = table.get(platform, {})
    pins = []
    for pin in (*project["project"]["optional-dependencies"]["backend"], *table["closure"]):
        name, version = pin.split(";")[0].strip().split("==")
        if name == "numpy":  # Blender has its own, and a second one in its process breaks it
            continue
        if name == "onnxruntime":
            name, version = package, own.get("onnxruntime", table.get(package, version))
        pins.append(f"{name}=={version}")
    return Contents(platform, tuple(pins), tuple(own.get("pythons", table["pythons"])))


def download(chosen: Contents, cache: Path) -> list[Path]:
    """Fetch the wheels of `chosen` with pip, once: the same pins need no network again."""
    folder = cache / f"{chosen.platform}-{chosen.digest()}"
    if not (folder / "complete").exists():
        for python in chosen.pythons:
            _pip_download(chosen, python, folder)
        (folder / "complete").touch()
    return sorted(folder.glob("*.whl"))


def _pip_download(chosen: Contents, python: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "--no-deps", "--implementation=cp", "--dest", str(folder)]
    command += [
        f"--python-version={python}",
        *(f"--platform={tag}" for tag in WHEEL_TAGS[chosen.platform]),
    ]
    result = subprocess.run([*command, *chosen.pins], stderr=subprocess.PIPE, text=True)
    if result.returncode:
        reason = next(
            (line for line in result.stderr.splitlines() if "ERROR" in line), "pip failed"
        )
        raise BuildError(f"no wheels for Python {python} on {chosen.platform}: {reason}")


def stage(target: Path, chosen: Contents, wheels: Iterable[Path], models: Path) -> dict[str, Any]:
    """Lay the extension out in the new folder `target`; returns its manifest."""
    shutil.copytree(ROOT / "blender_addon", target, ignore=LEFT_OUT)
    shutil.copytree(ROOT / "backend", target / "backend", ignore=LEFT_OUT)
    for manifest in sorted(models.glob("*/manifest.json")):
        shutil.copytree(manifest.parent, target / "models" / manifest.parent.name, ignore=LEFT_OUT)
    shutil.copy(ROOT / "LICENSE", target / "LICENSE")
    (target / "wheels").mkdir()
    names = [Path(shutil.copy(wheel, target / "wheels")).name for wheel in wheels]
    manifest_path = target / "blender_manifest.toml"
    text = with_wheels(manifest_path.read_text(encoding="utf-8"), chosen.platform, names)
    manifest_path.write_text(text, encoding="utf-8")
    return tomllib.loads(text)


def check_version(manifest: dict[str, Any], project: dict[str, Any]) -> None:
    """BuildError unless the manifest and pyproject.toml state the same version."""
    stated, due = manifest["version"], project["project"]["version"]
    if stated != due:
        raise BuildError(
            f"blender_manifest.toml says version {stated}, pyproject.toml {due}: make them equal."
        )


def with_wheels(manifest: str, platform: str, wheel_names: Iterable[str]) -> str:
    """The text of the manifest with its platform and wheels, put before the first table."""
    rows = "".join(f'  "./wheels/{name}",\n' for name in wheel_names)
    lines = f'platforms = ["{platform}"]\nwheels = [\n{rows}]\n\n'
    head, bracket, tables = manifest.partition("\n[")
    return f"{head}\n{lines}{bracket.lstrip()}{tables}"


def write_zip(folder: Path, path: Path) -> None:
    """Zip `folder` so that equal files give an equal zip, on any day and by any user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), ZIP_TIME)
            info.external_attr = 0o644 << 16
            # A wheel is a zip already: packing it twice costs seconds and saves nothing.
            info.compress_type = (
                zipfile.ZIP_STORED if file.suffix == ".whl" else zipfile.ZIP_DEFLATED
            )
            archive.writestr(info, file.read_bytes())


def validate(path: Path) -> str:
    """Run Blender's own validator on a zip, where a bpy wheel has brought it; says what it did."""
    tool = next(_validators(), None)
    if tool is None:
        return "not validated: no bpy wheel here"
    result = subprocess.run(
        [sys.executable, "-I", str(tool), "validate", str(path)], capture_output=True, text=True
    )
    if result.returncode:
        raise BuildError(f"Blender's validator refuses {path.name}: {result.stdout.strip()}")
    return "passes Blender's validator"


def _validators() -> Iterator[Path]:
    spec = importlib.util.find_spec("bpy")
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield from Path(place).glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")


def build(platform: str, provider: str, out: Path, models: Path = ROOT / "models") -> Path:
    """Build the zip of one platform into the folder `out`; returns its path."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    chosen = contents(platform, provider, project)
    wheels = download(chosen, WHEEL_CACHE)
    with tempfile.TemporaryDirectory(prefix="soliloquy-") as folder:
        manifest = stage(Path(folder) / "addon", chosen, wheels, models)
        check_version(manifest, project)
        suffix = "" if provider == "cpu" else f"-{provider}"
        path = out / f"{manifest['id']}-{manifest['version']}-{platform}{suffix}.zip"
        write_zip(Path(folder) / "addon", path)
    return path


def main(arguments: list[str] | None = None) -> int:
    """Build one zip; print its path, its size and the validator's word. 2 if it cannot be built."""
    parser = argparse.ArgumentParser(description="Pack the Blender extension of one platform.")
    parser.add_argument("--platform", choices=tuple(WHEEL_TAGS), default=this_platform())
    parser.add_argument("--provider", choices=tuple(PROVIDERS), default="cpu")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    options = parser.parse_args(arguments)
    try:
        path = build(options.platform, options.provider, options.out)
        verdict = validate(path)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
