"""Who borrows writes files of its own and leaves the lender's as they were."""

from pathlib import Path

import numpy as np
import pytest

from tests.training import toy
from training import __main__ as training
from training import adopt, rig_file


@pytest.fixture
def borrower(tmp_path: Path) -> Path:
    """A working folder that borrows the toy's rig and corpus."""
    toy.write_corpus(tmp_path / "lender" / "corpus", clips=3)
    toy.write_rig(tmp_path / "lender" / "rig.npz")
    assert run("borrow", tmp_path / "own", "--from", str(tmp_path / "lender")) == 0
    return tmp_path / "own"


def run(command: str, work: Path, *more: str) -> int:
    return training.main([command, "--recipe", "tiny", "--work", str(work), *more])


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_rig_that_is_written_takes_the_link_s_place(borrower: Path) -> None:
    before = contents(borrower.parent / "lender")
    like = rig_file.read(borrower / "rig.npz")
    one = adopt.Shapes(like.fields[:1], np.zeros((1, 1), np.float32))
    adopt.write_rig(borrower / "rig.npz", like, one)
    assert not (borrower / "rig.npz").is_symlink()
    assert rig_file.read(borrower / "rig.npz").names == ("principal0",)
    assert contents(borrower.parent / "lender") == before
    assert sorted(path.name for path in borrower.iterdir()) == ["corpus", "rig.npz"]


def test_synth_refuses_a_corpus_that_is_a_link(
    borrower: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(borrower.parent / "lender")
    assert run("synth", borrower, "--hours", "0.001") == 2
    assert f"{borrower / 'corpus'} is a link to {borrower.parent / 'lender'}" in (
        capsys.readouterr().err
    )
    assert contents(borrower.parent / "lender") == before
