import numpy as np

from tests.training import dataset_files as made
from training.datasets import biwi


def processed(folder, clips, frames=3, vertices=made.VERTICES):
    faces = {name: made.motion(1, vertices, 9)[0].astype(float) for name in ("F2", "M6", "M5")}
    made.pickled_by_python_2(folder / "templates.pkl", faces)
    for seed, clip in enumerate(clips):
        positions = made.motion(frames, vertices, seed).astype(float)
        made.array(folder / f"vertices_npy/{clip}.npy", positions.reshape(frames, -1))
        made.sound(folder / f"wav/{clip}.wav", frames / 25, 44100)
    return faces


def test_the_published_split_has_192_24_24_and_32_clips():
    clips = list(biwi.clips())
    names = ("train", "val", "test-a", "test-b")
    assert [sum(clip.split == name for clip in clips) for name in names] == [192, 24, 24, 32]
    assert clips[0].id == "F2_e01" and clips[-1].id == "M6_e40"
    assert clips[191].style == 5 and clips[-1].style is None


def test_the_true_size_reads_as_published_in_its_own_unit(tmp_path):
    faces = processed(tmp_path, ["F2_e01"], vertices=23370)
    dataset = biwi.read(tmp_path)
    found = dataset.displacements(dataset.clips[0], 25)
    assert found.shape == (3, 23370, 3) and found.dtype == np.float32
    wanted = made.motion(3, 23370).astype(float) - faces["F2"]
    assert np.array_equal(found, wanted.astype(np.float32))
    assert dataset.metres_per_unit == 0.186


def test_unseen_subjects_have_no_style_and_neutral_sentences_are_not_read(tmp_path):
    processed(tmp_path, ["F2_e01", "M6_e38", "M6_e01", "M5_01"])
    dataset = biwi.read(tmp_path)
    assert [(clip.id, clip.split, clip.style) for clip in dataset.clips] == [
        ("F2_e01", "train", 0),
        ("M6_e38", "test-b", None),
    ]


def test_a_subject_without_template_is_one_fault(tmp_path):
    processed(tmp_path, ["F2_e01", "F3_e01", "F3_e02"])
    dataset = biwi.read(tmp_path)
    assert [clip.id for clip in dataset.clips] == ["F2_e01"]
    assert [str(fault) for fault in dataset.faults] == [
        f"{tmp_path}/templates.pkl: has no template of F3."
    ]
