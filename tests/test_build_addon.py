"""The zip's content, its reproducibility, and that its wheels are all the worker needs."""

import importlib.metadata
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_addon

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINUX = build_addon.contents("linux-x64", "cpu", PROJECT)


@pytest.fixture
def staged(tmp_path):
    """The extension as staged, with one empty file in place of the wheels and the tiny pack."""
    wheel = tmp_path / "soxr-1.1.0-cp312-abi3-manylinux_2_28_x86_64.whl"
    wheel.touch()
    build_addon.stage(tmp_path / "addon", LINUX, [wheel], ROOT / "tests" / "data")
    return tmp_path / "addon"


def files(folder: Path, pattern: str) -> dict[str, bytes]:
    paths = [path for path in folder.rglob(pattern) if "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_numpy_is_never_bundled_because_blender_has_its_own():
    assert "numpy" not in " ".join(LINUX.pins)


def test_every_python_of_the_supported_blenders_gets_wheels():
    assert LINUX.pythons == ("3.11", "3.13", "3.14")


def test_intel_macs_get_the_last_onnxruntime_made_for_them():
    mac = build_addon.contents("macos-x64", "cpu", PROJECT)
    assert "onnxruntime==1.23.2" in mac.pins and mac.pythons == ("3.11", "3.13")


def test_cuda_takes_the_package_built_for_it():
    pins = build_addon.contents("linux-x64", "cuda", PROJECT).pins
    assert "onnxruntime-gpu==1.31.1" in pins and "onnxruntime==1.31.1" not in pins


def test_a_provider_that_a_platform_lacks_is_refused_in_one_line(capsys):
    assert build_addon.main(["--platform", "linux-x64", "--provider", "directml"]) == 2
    assert capsys.readouterr().err == (
        "directml is not available on linux-x64; it is on windows-x64.\n"
    )


def test_add_on_and_backend_are_shipped_byte_for_byte(staged):
    assert files(staged / "backend", "*.py") == files(ROOT / "backend", "*.py")
    for name, content in files(ROOT / "blender_addon", "*.py").items():
        assert (staged / name).read_bytes() == content


def test_zip_carries_pack_licence_and_wheels(staged):
    assert (staged / "models" / "tiny_pack" / "manifest.json").is_file()
    assert (staged / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert len(list((staged / "wheels").iterdir())) == 1


def test_staged_manifest_names_platform_and_wheels(staged):
    manifest = tomllib.loads((staged / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["platforms"] == ["linux-x64"]
    assert manifest["wheels"] == ["./wheels/soxr-1.1.0-cp312-abi3-manylinux_2_28_x86_64.whl"]


def test_tracked_manifest_has_the_projects_version_and_no_wheels():
    text = (ROOT / "blender_addon" / "blender_manifest.toml").read_text(encoding="utf-8")
    manifest = tomllib.loads(text)
    assert manifest["version"] == PROJECT["project"]["version"]
    assert "wheels" not in manifest and "platforms" not in manifest


def test_wheels_come_before_the_manifests_tables():
    text = build_addon.with_wheels('id = "a"\n\n[permissions]\nfiles = "b"\n', "linux-x64", ["c"])
    manifest = tomllib.loads(text)
    assert manifest["wheels"] == ["./wheels/c"] and manifest["permissions"] == {"files": "b"}


def test_a_version_that_differs_is_refused_with_both():
    with pytest.raises(build_addon.BuildError, match=r"0\.0\.1.*make them equal"):
        build_addon.check_version({"version": "0.0.1"}, PROJECT)


def test_the_same_files_give_the_same_zip(staged, tmp_path):
    build_addon.write_zip(staged, tmp_path / "first.zip")
    for path in staged.rglob("*.py"):
        path.touch()
    build_addon.write_zip(staged, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_zip_passes_blenders_own_validator(staged, tmp_path):
    pytest.importorskip("bpy")
    build_addon.write_zip(staged, tmp_path / "soliloquy.zip")
    assert build_addon.validate(tmp_path / "soliloquy.zip") == "passes Blender's validator"


def test_blenders_validator_refuses_a_zip_without_its_id(staged, tmp_path):
    pytest.importorskip("bpy")
    manifest = staged / "blender_manifest.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("\nid =", "\nidea ="))
    build_addon.write_zip(staged, tmp_path / "soliloquy.zip")
    with pytest.raises(build_addon.BuildError, match="refuses"):
        build_addon.validate(tmp_path / "soliloquy.zip")


def test_bundled_wheels_and_numpy_are_all_that_the_worker_imports(tmp_path):
    for pin in (*LINUX.pins, "numpy"):
        link_package(pin.split("==")[0], tmp_path)
    code = "import sys; sys.path.append(sys.argv[1]); import onnxruntime, soundfile, soxr"
    # -S: without the virtual environment's site-packages.
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code, tmp_path], capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


def link_package(name: str, folder: Path) -> None:
    """Make the installed package `name`, and nothing else, importable from `folder`."""
    for file in importlib.metadata.files(name) or []:
        top = file.parts[0]
        link = folder / top
        if top != ".." and not link.exists():
            link.symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)


def test_zip_opens_with_forward_slashes_only(staged, tmp_path):
    build_addon.write_zip(staged, tmp_path / "soliloquy.zip")
    names = zipfile.ZipFile(tmp_path / "soliloquy.zip").namelist()
    assert "backend/__init__.py" in names and not any("\\" in name for name in names)
