import pickle

import numpy as np
import pytest
import soundfile

from tests.training import dataset_files as made
from training.datasets import biwi, mead, vocaset, write

SETS = [
    (vocaset.LAYOUT, vocaset.read, f"{vocaset.TRAIN[0]}_sentence01", vocaset.TRAIN[0]),
    (biwi.LAYOUT, biwi.read, "F2_e01", "F2"),
    (mead.LAYOUT, mead.read_vertices, "M003_001_6_2", "M003"),
]


def written(folder, layout, clip, subject, fps=30.0, frames=10, vertices=made.VERTICES):
    positions, face = made.motion(frames, vertices), made.motion(1, vertices, 8)[0]
    write.templates(layout, folder, {subject: face})
    samples = made.tone(frames / fps, 16000)
    write.clip(layout, folder, write.Take(clip, positions, fps, samples, 16000))
    return positions, face, samples


@pytest.mark.parametrize(("layout", "read", "clip", "subject"), SETS)
def test_what_is_written_reads_back_in_metres(tmp_path, layout, read, clip, subject):
    positions, face, samples = written(tmp_path, layout, clip, subject, layout.fps)
    dataset = read(tmp_path)
    found = dataset.displacements(dataset.clips[0], layout.fps) * dataset.metres_per_unit
    assert [c.id for c in dataset.clips] == [clip]
    assert np.allclose(found, positions - face, atol=1e-6)
    assert np.allclose(dataset.waveform(dataset.clips[0]), samples, atol=4e-5)


def test_vocaset_is_written_as_published(tmp_path):
    layout, read, clip, subject = SETS[0]
    positions, face, _ = written(tmp_path, layout, clip, subject, vertices=5023)
    array = np.load(tmp_path / f"vertices_npy/{clip}.npy")
    assert array.shape == (19, 15069) and array.dtype == np.float32
    assert np.array_equal(array[::2].reshape(10, 5023, 3), positions)
    found = pickle.loads((tmp_path / "templates.pkl").read_bytes(), encoding="latin1")
    assert np.array_equal(found[subject], face)
    assert (tmp_path / "templates.pkl").read_bytes()[:2] == b"\x80\x02"
    assert soundfile.info(tmp_path / f"wav/{clip}.wav").subtype == "PCM_16"
    dataset = read(tmp_path)
    assert np.array_equal(dataset.positions(dataset.clips[0], 30), positions)


def test_biwi_is_written_as_published(tmp_path):
    layout, _, clip, subject = SETS[1]
    positions, _, _ = written(tmp_path, layout, clip, subject, 25.0, 3, 23370)
    array = np.load(tmp_path / f"vertices_npy/{clip}.npy")
    assert array.shape == (3, 70110) and array.dtype == np.float64
    assert np.allclose(array.reshape(3, -1, 3) * 0.186, positions)


def test_mead_vertices_are_written_as_published(tmp_path):
    layout, _, clip, subject = SETS[2]
    written(tmp_path, layout, clip, subject)
    array = np.load(tmp_path / f"vertex/{clip}.npy")
    # Ten frames at 30 fps last to 0.3 s: frames 0 .. 7 at 25 fps.
    assert array.shape == (8, made.VERTICES, 3) and array.dtype == np.float32
    assert (tmp_path / "templates_mead_vert.pkl").exists()
