import numpy as np
import pytest

from tests.training import dataset_files as made
from tests.training.test_datasets_captures import FACE, folder_of, moving, obj
from training.__main__ import main
from training.datasets import plain


def test_captures_become_a_plain_folder(tmp_path, capsys):
    source, out = tmp_path / "captures", tmp_path / "set"
    folder_of(source, [f"anna_{n:03d}" for n in range(1, 11)], frames=300)
    arguments = ["prepare", str(source), "--out", str(out), "--fps", "24", "--topology", "mine"]
    assert main([*arguments, "--metres-per-unit", "0.01"]) == 0
    assert "captures: 10 clips (train 8, val 1, test 1)" in capsys.readouterr().out
    dataset = plain.read(out)
    assert (dataset.topology, dataset.metres_per_unit, dataset.styles) == ("mine", 0.01, ("anna",))
    clip = dataset.clips[3]
    assert dataset.native_fps(clip) == 24 and clip.id == "anna_004"
    assert np.allclose(dataset.displacements(clip, 24), moving(300, seed=3) - FACE, atol=1e-6)
    assert len(dataset.waveform(clip)) == 200_000


def test_a_plain_folder_prepared_again_is_the_same(tmp_path):
    source, once, twice = tmp_path / "captures", tmp_path / "once", tmp_path / "twice"
    folder_of(source, ["anna_001", "anna_002_happy_2"])
    assert main(["prepare", str(source), "--out", str(once), "--fps", "24"]) == 0
    assert main(["prepare", str(once), "--layout", "plain", "--out", str(twice)]) == 0
    names = ("clips.csv", "dataset.toml", "vertices_npy/anna_001.npy", "wav/anna_001.wav")
    for name in names:
        assert (once / name).read_bytes() == (twice / name).read_bytes()


def test_without_out_it_only_reports(tmp_path, capsys):
    folder_of(tmp_path, ["anna_001", "anna_002", "anna_003"])
    (tmp_path / "wav/anna_002.wav").unlink()
    (tmp_path / "motion/anna_003.npy").write_bytes(b"no")
    before = sorted(tmp_path.rglob("*"))
    assert main(["prepare", str(tmp_path), "--fps", "24"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("1 clips (train 1)")
    assert lines[1] == "missing: wav/anna_002.wav"
    assert lines[2].startswith(f"cannot be used: {tmp_path}/motion/anna_003.npy: is a damaged")
    assert sorted(tmp_path.rglob("*")) == before


def test_clips_that_fail_while_written_are_left_out_and_leave_nothing(tmp_path, capsys):
    source, out = tmp_path / "captures", tmp_path / "set"
    folder_of(source, ["anna_001", "anna_002", "anna_003"])
    broken = moving(12)
    broken[11] = np.nan
    made.array(source / "motion/anna_001.npy", broken)
    made.sound(source / "wav/anna_002.wav", 0.5)
    silent = source / "wav/anna_002.wav"
    silent.write_bytes(silent.read_bytes()[:44] + bytes(silent.stat().st_size - 44))
    assert main(["prepare", str(source), "--out", str(out), "--fps", "24"]) == 0
    text = capsys.readouterr().out
    assert "left out: " in text and "anna_001.npy: holds positions that are no numbers" in text
    assert "anna_002.wav' is silent" in text and "1 clips written" in text
    assert [path.name for path in (out / "vertices_npy").iterdir()] == ["anna_003.npy"]
    assert [clip.id for clip in plain.read(out).clips] == ["anna_003"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["--fps", "-1"], "--fps is -1. It must be above 0."),
    (["--layout", "vocaset"], "templates.pkl: does not exist."),
    (["--layout", "mead-parameters"], "which need its model. Give --flame"),
    (["--layout", "plain"], "dataset.toml: does not exist. Make one with"),
    ([], "has no clip that can be used. The lines above say why"),
])  # fmt: skip
def test_what_cannot_be_prepared_is_one_clear_line(tmp_path, capsys, arguments, message):
    obj(tmp_path / "templates/anna.obj", FACE)
    (tmp_path / "motion").mkdir()
    (tmp_path / "wav").mkdir()
    assert main(["prepare", str(tmp_path), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_folder_that_is_not_empty_is_not_written_into(tmp_path, capsys):
    folder_of(tmp_path / "a", ["anna_001"])
    arguments = ["prepare", str(tmp_path / "a"), "--out", str(tmp_path), "--fps", "24"]
    assert main(arguments) == 2
    assert "is not empty. Give --out a new folder." in capsys.readouterr().err
