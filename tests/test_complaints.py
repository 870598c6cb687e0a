"""docs/complaints.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "complaints.md").read_text(encoding="utf-8")
CODE = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", TEXT))))
def test_every_test_it_names_exists(name):
    assert f"def {name}(" in CODE


def test_every_file_it_names_exists():
    names = re.findall(r"`((?:tests/addon/|tests/backend/)test_\w+\.py)`", TEXT)
    assert len(names) > 4 and all((ROOT / name).is_file() for name in names)


def test_all_25_complaints_are_answered():
    rows = re.findall(r"^\| (\d+) \|.*\| (solved|in part|open|does not apply)\b", TEXT, re.M)
    assert [int(number) for number, _answer in rows] == list(range(1, 26))
