import numpy as np
import pytest

from tests.training import dataset_files as made
from training.datasets import plain
from training.datasets.errors import DatasetError

TABLE = """id,subject,sentence,split,emotion,intensity,fps
ben_1,ben,1,train,happy,3,60
anna_1,anna,1,train,neutral,,29.97
zoe_1,zoe,1,test,sad,1,25
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "dataset.toml").write_text('topology = "mine"\nmetres_per_unit = 0.01\n')
    (tmp_path / "clips.csv").write_text(TABLE)
    faces = {name: made.motion(1, seed=8)[0] for name in ("ben", "anna", "zoe")}
    np.savez(tmp_path / "templates.npz", **faces)
    for clip, fps in (("ben_1", 60), ("anna_1", 29.97), ("zoe_1", 25)):
        made.array(tmp_path / f"vertices_npy/{clip}.npy", made.motion(12))
        made.sound(tmp_path / f"wav/{clip}.wav", 12 / fps)
    return tmp_path


def test_a_plain_folder_reads_in_its_own_order(folder):
    dataset = plain.read(folder)
    assert [(c.id, c.split, c.style, c.intensity) for c in dataset.clips] == [
        ("ben_1", "train", 0, 3),
        ("anna_1", "train", 1, 0),
        ("zoe_1", "test", None, 1),
    ]
    assert (dataset.styles, dataset.emotions) == (("ben", "anna"), ("happy", "neutral", "sad"))
    assert (dataset.topology, dataset.metres_per_unit) == ("mine", 0.01)


def test_each_clip_has_its_own_frame_rate(folder):
    dataset = plain.read(folder)
    assert [dataset.frames(clip, 25) for clip in dataset.clips] == [5, 10, 12]
    found = dataset.displacements(dataset.clips[0], 30)
    assert np.array_equal(found, made.motion(12)[::2] - made.motion(1, seed=8)[0])


@pytest.mark.parametrize(("old", "new", "message"), [
    ("ben_1,ben", "../ben_1,ben", r"line 2: the id is '\.\./ben_1', not a file's name"),
    (",60", ",fast", "line 2: intensity or fps is no number"),
    (",60", ",0", "line 2: fps is 0"),
    ("emotion,", "", "has no column emotion. Columns: id, subject"),
])  # fmt: skip
def test_a_bad_table_names_its_line(folder, old, new, message):
    (folder / "clips.csv").write_text(TABLE.replace(old, new, 1))
    with pytest.raises(DatasetError, match=rf"clips\.csv: {message}"):
        plain.read(folder)


@pytest.mark.parametrize(("text", "message"), [
    ('topology = "mine"', "needs topology and metres_per_unit"),
    ("topology = ", "needs topology and metres_per_unit"),
    ('topology = "mine"\nmetres_per_unit = 1\nfps = 3', r"unknown keys \['fps'\]"),
])  # fmt: skip
def test_a_bad_description_says_what_it_needs(folder, text, message):
    (folder / "dataset.toml").write_text(text)
    with pytest.raises(DatasetError, match=message):
        plain.read(folder)


def test_a_pickle_inside_the_templates_is_refused(folder):
    np.savez(folder / "templates.npz", ben=np.array([{}], object))
    with pytest.raises(DatasetError, match=r"templates\.npz: is no \.npz of arrays"):
        plain.read(folder)


def test_a_missing_description_says_which_command_makes_it(tmp_path):
    with pytest.raises(DatasetError, match="python -m training prepare"):
        plain.read(tmp_path)
