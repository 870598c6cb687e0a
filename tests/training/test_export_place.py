"""Where a pack may go: it replaces a pack, and nothing else."""

from pathlib import Path

import pytest

from training import __main__ as training
from training import export


def exported(out: Path | str, work: Path) -> int:
    """Of a working folder that is not there: a refusal of the place comes before any work."""
    given = ["--recipe", "tiny", "--work", str(work), "--reference", str(work / "rest.npz")]
    return training.main(["export", *given, "--out", str(out)])


def test_a_folder_that_holds_no_pack_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "novel.txt").write_text("years", encoding="utf-8")
    assert exported(precious, tmp_path / "none") == 2
    assert f"{precious} holds files and no pack" in capsys.readouterr().err
    with pytest.raises(export.ExportError, match="holds files and no pack"):
        export.write(None, None, None, None, precious)  # type: ignore[arg-type]
    assert (precious / "novel.txt").read_text(encoding="utf-8") == "years"
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("kind", ["file", "link", "lost link"])
def test_a_file_and_a_link_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.write_bytes(b"")
    else:
        out.symlink_to(tmp_path if kind == "link" else tmp_path / "lost")
    assert exported(out, tmp_path / "none") == 2
    assert f"{out} is a file or a link" in capsys.readouterr().err


@pytest.mark.parametrize("out", [".", "/", ".."])
def test_a_place_without_a_name_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    assert exported(out, tmp_path) == 2
    said = capsys.readouterr().err
    assert f"--out {out} has no name" in said and said.count("\n") == 1


def test_an_empty_folder_and_an_old_pack_may_be_replaced(tmp_path: Path) -> None:
    export.check_place(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"")
    (tmp_path / "decoder.onnx").write_bytes(b"")
    export.check_place(tmp_path)
    export.check_place(tmp_path / "new")
