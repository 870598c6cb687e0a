from collections import Counter

import h5py
import numpy as np
import pytest
import torch

from tests.training import dataset_files as made
from training.datasets import flame, mead
from training.datasets.errors import DatasetError

NONE, SHUT = np.zeros((1, 100), np.float32), np.zeros((1, 3), np.float32)


@pytest.fixture
def model(tmp_path):
    np.savez(tmp_path / "flame.npz", **made.flame_arrays())
    return flame.load(tmp_path / "flame.npz")


def parameters(frames, seed=0):
    """ProbTalk3D's array (1, T, 403)."""
    return np.random.default_rng(seed).normal(size=(1, frames, 403)).astype(np.float32) / 4


def probtalk3d(folder, clips, frames=10):
    for seed, clip in enumerate(clips):
        made.array(folder / f"param/{clip}.npy", parameters(frames + seed, seed))
        made.sound(folder / f"wav/{clip}.wav", (frames + seed) / 25, 48000)


def reconstruction(path, found):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        parts = np.split(found, [300, 400], axis=2)
        for name, part in zip(("shape", "exp", "jaw"), parts, strict=True):
            file[name] = part
        file["global_pose"] = np.ones((1, found.shape[1], 3), np.float32)
        file["cam"] = np.ones((1, found.shape[1], 3), np.float32)


def test_the_split_by_sentence_is_probtalk3ds():
    clips = list(mead.clips("sentence"))
    assert len({clip.subject for clip in clips}) == 32
    counts = Counter((clip.split, clip.emotion == "neutral") for clip in clips)
    assert counts == {
        ("train", True): 32 * 32, ("val", True): 32 * 4, ("test", True): 32 * 4,
        ("train", False): 32 * 21 * 24, ("val", False): 32 * 21 * 3, ("test", False): 32 * 21 * 3,
    }  # fmt: skip
    by_id = {clip.id: clip for clip in clips}
    assert by_id["M003_036_0_0"].split == "val" and by_id["M003_037_0_0"].split == "test"
    assert by_id["M003_027_3_2"].split == "val" and by_id["M003_028_3_2"].split == "test"
    assert by_id["W029_001_6_2"].emotion == "angry" and by_id["W029_001_6_2"].intensity == 3
    assert by_id["W029_001_6_2"].style == 31 and by_id["M003_036_0_0"].intensity == 0


def test_the_split_by_identity_is_emotes():
    clips = list(mead.clips("identity"))
    subjects = {name: {c.subject for c in clips if c.split == name} for name in mead._SPLITS}
    assert [len(subjects[name]) for name in ("train", "val", "test")] == [32, 7, 8]
    assert "W036" in subjects["val"] and "M037" in subjects["test"]
    assert all((clip.style is None) == (clip.split != "train") for clip in clips)


def test_parameters_become_what_flame_makes_of_them(tmp_path, model):
    probtalk3d(tmp_path, ["M003_001_0_0", "M003_025_5_1"])
    dataset = mead.read_parameters(tmp_path, model)
    assert [(c.id, c.split, c.emotion) for c in dataset.clips] == [
        ("M003_001_0_0", "train", "neutral"),
        ("M003_025_5_1", "val", "disgusted"),
    ]
    rows = parameters(11, 1)[0]
    wanted = model.vertices(rows[:, :300], rows[:, 300:400], rows[:, 400:])
    assert np.allclose(dataset.positions(dataset.clips[1], 25), wanted, atol=1e-6)
    assert "wav/M003_002_0_0.wav" in dataset.missing
    assert dataset.missing[-1] == "W029 (every sentence)"
    mean = np.concatenate([parameters(10, 0)[0, :, :300], rows[:, :300]]).mean(axis=0)[None]
    face = model.vertices(mean, NONE, SHUT)[0]
    assert np.allclose(dataset.template("M003"), face, atol=1e-6)
    assert np.allclose(dataset.displacements(dataset.clips[1], 25), wanted - face, atol=1e-6)


def test_flames_true_size_reads(tmp_path):
    np.savez(tmp_path / "flame.npz", **made.flame_arrays(5023))
    probtalk3d(tmp_path, ["W040_002_7_0"], frames=3)
    dataset = mead.read_parameters(tmp_path, flame.load(tmp_path / "flame.npz"), "identity")
    assert dataset.displacements(dataset.clips[0], 30).shape == (3, 5023, 3)
    assert dataset.clips[0].split == "test"


def test_only_the_frames_asked_for_go_through_flame(tmp_path, model):
    probtalk3d(tmp_path, ["M003_001_0_0"], frames=50)
    dataset = mead.read_parameters(tmp_path, model)
    part = dataset.positions(dataset.clips[0], 25, 20, 23)
    rows = parameters(50)[0, 20:23]
    assert np.allclose(part, model.vertices(rows[:, :300], rows[:, 300:400], rows[:, 400:]))


def test_faulty_parameter_files_are_named_and_the_others_read(tmp_path, model):
    ids = [f"M003_{n:03d}_0_0" for n in range(1, 5)]
    probtalk3d(tmp_path, ids)
    made.array(tmp_path / f"param/{ids[0]}.npy", parameters(10)[..., :56])
    path = tmp_path / f"param/{ids[1]}.npy"
    path.write_bytes(path.read_bytes()[:-1])
    made.sound(tmp_path / f"wav/{ids[2]}.wav", 9)
    dataset = mead.read_parameters(tmp_path, model)
    assert [clip.id for clip in dataset.clips] == ids[3:]
    lines = [str(fault) for fault in dataset.faults]
    assert "001_0_0.npy: its shape is (1, 10, 56), not (1, frames, 403)" in lines[0]
    assert "002_0_0.npy: is a damaged or truncated .npy" in lines[1]
    assert "003_0_0.wav: lasts 9.00 s, but its motion 0.48 s" in lines[2]


def test_vertices_read_flat_or_not_with_torch_templates_one_folder_up(tmp_path):
    folder = tmp_path / "mead"
    face = made.motion(1, 5023, 9)[0]
    published = {"M003": torch.from_numpy(face).requires_grad_(True)}
    made.pickled(tmp_path / "templates_mead_vert.pkl", published, 4)
    made.array(folder / "vertex/M003_001_1_0.npy", made.motion(4, 5023))
    made.array(folder / "vertex/M003_002_1_0.npy", made.motion(4, 5023).reshape(4, -1))
    for sentence in ("001", "002"):
        made.sound(folder / f"wav/M003_{sentence}_1_0.wav", 0.16)
    dataset = mead.read_vertices(folder)
    for clip in dataset.clips:
        found = dataset.displacements(clip, 25)
        assert np.array_equal(found, made.motion(4, 5023) - face)
    assert [clip.emotion for clip in dataset.clips] == ["happy", "happy"]


@pytest.mark.parametrize("sound", [
    "M003/front/sad/level_2/007.wav", "M003/audio/sad/level_2/007.wav", "M003_007_2_1.wav",
])  # fmt: skip
def test_emotes_reconstructions_read_the_same_parameters(tmp_path, model, sound):
    path = tmp_path / "rec/M003/front/sad/level_2/007/shape_pose_cam.hdf5"
    reconstruction(path, parameters(12))
    made.sound(tmp_path / "sounds" / sound, 12 / 25, 16000)
    dataset = mead.read_emote(tmp_path / "rec", model, tmp_path / "sounds")
    clip = dataset.clips[0]
    assert (clip.subject, clip.emotion, clip.intensity) == ("M003", "sad", 2)
    rows = parameters(12)[0]
    wanted = model.vertices(rows[:, :300], rows[:, 300:400], rows[:, 400:])
    assert np.allclose(dataset.positions(clip, 25), wanted, atol=1e-6)
    assert np.allclose(dataset.positions(clip, 25, 3, 5), wanted[3:5], atol=1e-6)
    assert len(dataset.waveform(clip)) == 7680


def test_neutral_has_one_level(tmp_path, model):
    path = tmp_path / "M003/front/neutral/level_1/040/shape_pose_cam.hdf5"
    reconstruction(path, parameters(5))
    made.sound(tmp_path / "M003_040_0_0.wav", 0.2)
    assert mead.read_emote(tmp_path, model, tmp_path).clips[0].id == "M003_040_0_0"


def test_m4a_and_damaged_hdf5_are_named(tmp_path, model):
    stem = tmp_path / "M003/front/neutral/level_1"
    reconstruction(stem / "001/shape_pose_cam.hdf5", parameters(5))
    (tmp_path / "M003/audio/neutral/level_1").mkdir(parents=True)
    (tmp_path / "M003/audio/neutral/level_1/001.m4a").write_bytes(b"....ftypM4A ")
    reconstruction(stem / "002/shape_pose_cam.hdf5", parameters(5))
    (stem / "002/shape_pose_cam.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    made.sound(tmp_path / "M003_002_0_0.wav", 0.2)
    dataset = mead.read_emote(tmp_path, model, tmp_path)
    lines = [str(fault) for fault in dataset.faults]
    assert "001.m4a: is AAC sound, which is not read. Convert it: ffmpeg -i 001.m4a" in lines[0]
    assert "002/shape_pose_cam.hdf5: is damaged or no reconstruction" in lines[1]


def test_parameters_that_are_no_numbers_are_refused_when_read(tmp_path, model):
    found = parameters(10)
    found[0, 4, 350] = np.inf
    probtalk3d(tmp_path, ["M003_001_0_0"])
    made.array(tmp_path / "param/M003_001_0_0.npy", found)
    dataset = mead.read_parameters(tmp_path, model)
    with pytest.raises(DatasetError, match=r"M003_001_0_0\.npy: holds parameters that are no num"):
        dataset.positions(dataset.clips[0], 25)
