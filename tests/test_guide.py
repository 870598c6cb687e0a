"""docs/guide.md shows pictures that exist, and its links lead somewhere."""

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "guide.md").read_text(encoding="utf-8")


def test_every_picture_is_there_and_every_picture_is_shown():
    shown = set(re.findall(r"!\[[^\]]+\]\(pictures/([^)]+)\)", TEXT))
    assert shown == {path.name for path in (DOCS / "pictures").glob("*.png")}


def test_every_link_leads_to_a_heading_or_a_file():
    anchors = {re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
               for line in re.findall(r"^#+ (.*)$", TEXT, re.M)}
    for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\)", TEXT):
        if "://" not in target:
            assert target[1:] in anchors if target[0] == "#" else (DOCS / target).is_file(), target
