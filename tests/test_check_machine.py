"""What `make` says on a machine that lacks something."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "demo" / "check_machine.py"


@pytest.fixture
def check_machine():
    spec = importlib.util.spec_from_file_location("check_machine", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_libraries_are_named_with_their_packages(check_machine, monkeypatch):
    monkeypatch.setattr(check_machine, "LIBRARIES", {"libnone.so.7": "libnone7"})
    assert check_machine.library_problem() == (
        "Blender's module needs libnone.so.7: apt-get install --no-install-recommends libnone7"
    )


@pytest.mark.parametrize("version", [(3, 9), (3, 12), (3, 14)])
def test_a_python_without_a_bpy_wheel_is_named(check_machine, version):
    assert f"Python {version[0]}.{version[1]} has no" in check_machine.python_problem(*version)


@pytest.mark.parametrize("version", [(3, 11), (3, 13)])
def test_a_python_with_a_bpy_wheel_passes(check_machine, version):
    assert check_machine.python_problem(*version) == ""
