import pickle

import numpy as np
import pytest

from tests.training import dataset_files as made
from training.datasets import vocaset
from training.datasets.errors import DatasetError

FIRST, VAL = vocaset.TRAIN[0], vocaset.VAL[0]


def processed(folder, clips, frames=24, vertices=made.VERTICES):
    """A processed set of these clip ids, with every subject's template."""
    subjects = (*vocaset.TRAIN, *vocaset.VAL, *vocaset.TEST)
    faces = {name: made.motion(1, vertices, 9)[0].astype(float) for name in subjects}
    made.pickled_by_python_2(folder / "templates.pkl", faces)
    for seed, clip in enumerate(clips):
        positions = made.motion(frames, vertices, seed)
        made.array(folder / f"vertices_npy/{clip}.npy", positions.reshape(frames, -1))
        made.sound(folder / f"wav/{clip}.wav", frames / 60)
    return faces


def raw(folder, sentences):
    """VOCA's release: {subject: {sentence: frames}}; rows of one clip are not all neighbours."""
    count = sum(frames for of in sentences.values() for frames in of.values())
    order, at = np.random.default_rng(3).permutation(count), 0
    index, sound = {}, {}
    for subject, of in sentences.items():
        index[subject], sound[subject] = {}, {}
        for name, frames in of.items():
            index[subject][name] = {k: int(order[at + k]) for k in range(frames)}
            samples = (made.tone(frames / 60, 22000) * 32767).astype(np.int16)
            sound[subject][name] = {"audio": samples, "sample_rate": 22000}
            at += frames
    made.array(folder / "data_verts.npy", made.motion(count))
    made.pickled_by_python_2(folder / "templates.pkl", {s: made.motion(1)[0] for s in sentences})
    made.pickled_by_python_2(folder / "raw_audio_fixed.pkl", sound)
    made.pickled(folder / "subj_seq_to_idx.pkl", index)
    return index


def test_the_published_split_has_320_40_and_40_clips():
    clips = list(vocaset.clips())
    counts = [sum(clip.split == name for clip in clips) for name in ("train", "val", "test")]
    assert counts == [320, 40, 40]
    assert clips[0].id == "FaceTalk_170728_03272_TA_sentence01"
    assert clips[0].style == 0 and clips[319].style == 7 and clips[320].style is None
    assert clips[320].id == "FaceTalk_170811_03275_TA_sentence21"


def test_at_30_fps_displacements_are_every_second_frame_less_the_template(tmp_path):
    clip = f"{FIRST}_sentence01"
    faces = processed(tmp_path, [clip], frames=25, vertices=5023)
    dataset = vocaset.read(tmp_path)
    found = dataset.displacements(dataset.clips[0], 30)
    wanted = made.motion(25, 5023)[::2] - faces[FIRST]
    assert found.shape == (13, 5023, 3) and found.dtype == np.float32
    assert np.array_equal(found, wanted.astype(np.float32))
    assert (dataset.topology, dataset.metres_per_unit) == ("flame", 1.0)


def test_at_25_fps_frames_lie_between(tmp_path):
    processed(tmp_path, [f"{FIRST}_sentence01"])
    dataset = vocaset.read(tmp_path)
    old, new = made.motion(24), dataset.positions(dataset.clips[0], 25)
    assert dataset.frames(dataset.clips[0], 25) == len(new) == 10
    assert np.allclose(new[2], 0.2 * old[4] + 0.8 * old[5], atol=1e-6)


def test_a_part_of_a_clip_is_that_part_of_the_whole(tmp_path):
    processed(tmp_path, [f"{FIRST}_sentence01"])
    dataset = vocaset.read(tmp_path)
    clip = dataset.clips[0]
    assert np.array_equal(
        dataset.displacements(clip, 25, 3, 7), dataset.displacements(clip, 25)[3:7]
    )


def test_the_waveform_is_16_khz_mono(tmp_path):
    processed(tmp_path, [f"{FIRST}_sentence01"], frames=60)
    dataset = vocaset.read(tmp_path)
    found = dataset.waveform(dataset.clips[0])
    assert len(found) == 16000 and found.dtype == np.float32
    assert np.allclose(found[100:-100], made.tone(1, 16000)[100:-100], atol=1e-3)


def test_missing_sentences_are_listed_and_missing_subjects_are_one_line(tmp_path):
    have = [f"{FIRST}_sentence{n:02d}" for n in range(1, 41) if n != 24] + [f"{VAL}_sentence21"]
    processed(tmp_path, have, frames=2)
    (tmp_path / f"wav/{FIRST}_sentence30.wav").unlink()
    dataset = vocaset.read(tmp_path)
    assert len(dataset.clips) == 39 and len(dataset.split("val")) == 1
    assert dataset.missing[:3] == (
        f"vertices_npy/{FIRST}_sentence24.npy",
        f"wav/{FIRST}_sentence24.wav",
        f"wav/{FIRST}_sentence30.wav",
    )
    assert f"{vocaset.TEST[1]} (every sentence)" in dataset.missing
    assert len(dataset.missing) == 3 + 7 + 2 * 19 + 1 + 2


def test_faulty_files_are_one_line_each_and_the_others_are_read(tmp_path):
    ids = [f"{FIRST}_sentence{n:02d}" for n in range(1, 7)]
    processed(tmp_path, ids, frames=60)
    files = [tmp_path / f"vertices_npy/{name}.npy" for name in ids]
    files[0].write_bytes(files[0].read_bytes()[:-4])
    files[1].write_bytes(b"")
    files[2].write_bytes(pickle.dumps([1]))
    made.sound(tmp_path / f"wav/{ids[3]}.wav", 3.0)
    (tmp_path / f"wav/{ids[4]}.wav").write_bytes(b"RIFF no")
    dataset = vocaset.read(tmp_path)
    assert [clip.id for clip in dataset.clips] == ids[5:]
    lines = [str(fault) for fault in dataset.faults]
    assert all("\n" not in line for line in lines)
    for number in range(3):
        assert lines[number].startswith(f"{files[number]}: is a damaged or truncated .npy")
    assert lines[3].startswith(f"{tmp_path}/wav/{ids[3]}.wav: lasts 3.00 s, but its motion 1.00 s")
    assert lines[4].startswith(f"{tmp_path}/wav/{ids[4]}.wav: is damaged or no sound file")


def test_motion_of_another_mesh_is_a_fault(tmp_path):
    processed(tmp_path, [f"{FIRST}_sentence01"])
    made.array(tmp_path / f"vertices_npy/{FIRST}_sentence01.npy", np.zeros((24, 24), np.float32))
    assert "its shape is (24, 24), not (frames, 21)" in str(vocaset.read(tmp_path).faults[0])


def test_positions_that_are_no_numbers_are_refused_when_read(tmp_path):
    processed(tmp_path, [f"{FIRST}_sentence01"])
    positions = made.motion(24).reshape(24, -1)
    positions[7, 3] = np.nan
    made.array(tmp_path / f"vertices_npy/{FIRST}_sentence01.npy", positions)
    dataset = vocaset.read(tmp_path)
    assert dataset.positions(dataset.clips[0], 60, 0, 7).shape == (7, made.VERTICES, 3)
    with pytest.raises(DatasetError, match=r"sentence01\.npy: holds positions that are no numbers"):
        dataset.positions(dataset.clips[0], 60)


def test_a_malicious_templates_file_stops_the_set_and_names_itself(tmp_path):
    (tmp_path / "templates.pkl").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(DatasetError, match=r"templates\.pkl: asks for os\.system"):
        vocaset.read(tmp_path)


def test_the_raw_release_reads_each_clips_rows_in_order(tmp_path):
    index = raw(tmp_path, {FIRST: {"sentence01": 12, "sentence02": 7}, VAL: {"sentence21": 9}})
    dataset = vocaset.read_raw(tmp_path)
    assert [clip.split for clip in dataset.clips] == ["train", "train", "val"]
    rows = [index[FIRST]["sentence02"][k] for k in range(7)]
    found = dataset.displacements(dataset.clips[1], 30)
    assert np.array_equal(found, made.motion(28)[rows][::2] - made.motion(1)[0])
    heard = dataset.waveform(dataset.clips[0])
    assert len(heard) == 3200
    assert np.allclose(heard[99:-99], made.tone(0.2, 16000)[99:-99], atol=1e-3)


def test_the_raw_release_lists_what_it_lacks(tmp_path):
    raw(tmp_path, {FIRST: {f"sentence{n:02d}": 3 for n in range(1, 41) if n != 24}})
    dataset = vocaset.read_raw(tmp_path)
    assert len(dataset.clips) == 39 and dataset.missing[0] == f"{FIRST}_sentence24 (motion)"


def test_a_truncated_data_verts_is_named(tmp_path):
    raw(tmp_path, {FIRST: {"sentence01": 12}})
    path = tmp_path / "data_verts.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DatasetError, match=r"data_verts\.npy: is a damaged or truncated"):
        vocaset.read_raw(tmp_path)


def test_rows_that_are_not_there_are_a_fault_of_their_clip(tmp_path):
    index = raw(tmp_path, {FIRST: {"sentence01": 12, "sentence02": 7}})
    index[FIRST]["sentence01"][3] = 99
    made.pickled(tmp_path / "subj_seq_to_idx.pkl", index)
    dataset = vocaset.read_raw(tmp_path)
    assert [clip.sentence for clip in dataset.clips] == ["sentence02"]
    assert "sentence01 names frames that data_verts.npy has not" in str(dataset.faults[0])


def test_memory_does_not_grow_with_the_file(tmp_path):
    import tracemalloc

    processed(tmp_path, [f"{FIRST}_sentence01"], frames=2)
    path = tmp_path / f"vertices_npy/{FIRST}_sentence01.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (600_000, 21)).flush()
    made.sound(tmp_path / f"wav/{FIRST}_sentence01.wav", 10_000, 100)
    tracemalloc.start()
    dataset = vocaset.read(tmp_path)
    part = dataset.displacements(dataset.clips[0], 25, 200_000, 200_010)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert part.shape == (10, 7, 3)
    assert dataset.frames(dataset.clips[0], 25) == 250_000
    # The picks of a part are 24 bytes a frame of that part; the file has 50 MB.
    assert peak < 3_000_000
