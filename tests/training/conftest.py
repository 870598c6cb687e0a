"""What tests of training share because it takes long to make."""

from pathlib import Path

import pytest

from tests.training import emotional_toy


@pytest.fixture(scope="session")
def exptalk_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with both of ExpTalk's stages trained on the toy, and its pack."""
    return emotional_toy.trained(tmp_path_factory.mktemp("exptalk"))
