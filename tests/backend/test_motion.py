import zipfile
from dataclasses import replace

import numpy as np
import pytest

from backend import errors, motion


def wave(frames=6, fps=30.0, seconds=0.2):
    ramp = np.arange(frames, dtype=np.float32)[:, None, None]
    return motion.Motion(ramp * np.ones((1, 4, 3), dtype=np.float32), fps, "tiny", "höhle", 7,
                         seconds)


@pytest.mark.parametrize(("seconds", "fps", "frames"), [
    (0.1, 30, 3), (0.2, 30, 6), (2.01, 25, 51), (1.0, 30, 30), (1 / 3, 30, 10), (0.001, 30, 1),
    (5.6665, 30, 170), (11.0, 29.97, 330), (3600.0, 30, 108000)])
def test_frames_are_the_ceiling_of_seconds_times_fps_whatever_the_rounding(seconds, fps, frames):
    assert motion.frame_count(seconds, fps) == frames


def test_one_sample_more_than_a_frame_is_another_frame():
    assert motion.frame_count(4801 / 48000, 30) == 4


def test_a_saved_motion_comes_back_as_it_was(tmp_path):
    motion.save(wave(), tmp_path / "été 1.npz")
    back = motion.load(tmp_path / "été 1.npz")
    np.testing.assert_array_equal(back.displacements, wave().displacements)
    assert back.info == motion.MotionInfo(30.0, "tiny", "höhle", 7, 0.2)


def test_equal_motions_are_equal_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        motion.save(wave(), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_numpy_reads_the_file_by_itself(tmp_path):
    motion.save(wave(), tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as arrays:
        assert sorted(arrays.files) == sorted(
            ["displacements", "fps", "topology", "model", "seed", "audio_seconds"])
        assert arrays["displacements"].dtype == np.float32 and int(arrays["seed"]) == 7


def test_the_codes_come_back_and_end_with_a_change_of_rate(tmp_path):
    numbers = np.arange(12, dtype=np.uint16).reshape(6, 2)
    coded = replace(wave(), codes=motion.Codes(numbers, "abc"))
    motion.save(coded, tmp_path / "m.npz")
    back = motion.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(back.codes.numbers, numbers)
    assert back.codes.pack == "abc"
    assert motion.resample(back, 60.0).codes is None


def test_a_stored_motion_is_read_in_blocks(tmp_path, monkeypatch):
    motion.save(wave(), tmp_path / "m.npz")
    monkeypatch.setattr(motion, "_BLOCK_FRAMES", 4)
    stored = motion.look(tmp_path / "m.npz")
    assert stored.info == wave().info and stored.shape == (6, 4, 3) and stored.codes is None
    blocks = list(stored.blocks())
    assert [len(block) for block in blocks] == [4, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), wave().displacements)


def test_a_stored_motion_is_as_compatible_as_numpy_makes_it(tmp_path):
    fields = {**vars(wave().info), "displacements": wave().displacements}
    np.savez(tmp_path / "m.npz", **fields)
    np.testing.assert_array_equal(next(motion.look(tmp_path / "m.npz").blocks()),
                                  motion.load(tmp_path / "m.npz").displacements)


def test_damage_inside_a_stored_motion_is_found_as_it_is_read(tmp_path):
    motion.save(wave(frames=400), tmp_path / "m.npz")
    content = bytearray((tmp_path / "m.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(errors.MotionError, match="is not a motion file"):
        list(motion.look(tmp_path / "m.npz").blocks())


def test_blocks_write_the_same_file_as_the_whole(tmp_path):
    whole = wave()
    motion.save(whole, tmp_path / "whole.npz")
    blocks = iter([whole.displacements[:1], whole.displacements[1:6]])
    motion.write(tmp_path / "blocks.npz", whole.info, (6, 4, 3), blocks)
    assert (tmp_path / "blocks.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "m.npz"
    path.write_text("old")
    with pytest.raises(errors.MotionError, match="5 frames were made where 6 were due"):
        motion.write(path, wave().info, (6, 4, 3), [wave().displacements[:5]])
    assert [entry.name for entry in tmp_path.iterdir()] == ["m.npz"]
    assert path.read_text() == "old"


def test_resampling_doubles_the_frames_of_a_straight_line():
    faster = motion.resample(wave(), 60.0)
    assert faster.displacements.shape == (12, 4, 3) and faster.fps == 60.0
    np.testing.assert_allclose(faster.displacements[:, 0, 0],
                               [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5])


def test_resampling_to_24_fps_keeps_the_time_of_each_frame():
    slower = motion.resample(wave(frames=30, seconds=1.0), 24.0)
    np.testing.assert_allclose(slower.displacements[:, 0, 0] / 30, np.arange(24) / 24, atol=1e-6)


@pytest.mark.parametrize("fps", [24000 / 1001, 30000 / 1001, 25.0, 60.0])
def test_ten_minutes_at_another_rate_do_not_drift(fps):
    times_s = (np.arange(18000, dtype=np.float32) / 30)[:, None, None]
    ten_minutes = motion.Motion(np.repeat(times_s, 3, axis=2), 30.0, "t", "m", 0, 600.0)
    resampled = motion.resample(ten_minutes, fps).displacements[:, 0, 0]
    assert len(resampled) == motion.frame_count(600.0, fps)
    due_s = np.minimum(np.arange(len(resampled)) / fps, times_s[-1, 0, 0])
    assert np.abs(resampled - due_s).max() * fps < 0.01  # frames


def test_resampling_to_no_rate_is_refused():
    with pytest.raises(errors.MotionError, match="not 0"):
        motion.resample(wave(), 0)


@pytest.mark.parametrize("change", [
    {"displacements": np.zeros((2, 4), dtype=np.float32)},
    {"displacements": np.full((2, 4, 3), np.nan, dtype=np.float32)},
    {"displacements": np.zeros((2, 4, 3))},
    {"displacements": np.array([{}], dtype=object)},
    {"fps": np.float64(0)}, {"fps": None},
    {"codes": np.zeros((3, 8), dtype=np.uint16), "codes_pack": "p"},
    {"codes": np.zeros((2, 8), dtype=np.int64), "codes_pack": "p"}])
def test_a_file_that_is_no_motion_is_refused(tmp_path, change):
    fields = {"displacements": np.zeros((2, 4, 3), dtype=np.float32), "fps": np.float64(30),
              "topology": "t", "model": "m", "seed": 0, "audio_seconds": 0.1, **change}
    np.savez(tmp_path / "m.npz", **{k: v for k, v in fields.items() if v is not None})
    with pytest.raises(errors.MotionError, match=r"is not a motion file"):
        motion.load(tmp_path / "m.npz")
    with pytest.raises(errors.MotionError, match=r"is not a motion file"):
        list(motion.look(tmp_path / "m.npz").blocks())


def test_damaged_and_missing_files_are_told_apart(tmp_path):
    motion.save(wave(), tmp_path / "m.npz")
    content = (tmp_path / "m.npz").read_bytes()
    (tmp_path / "half.npz").write_bytes(content[:len(content) // 2])
    for name, code in (("half.npz", "motion_damaged"), ("none.npz", "motion_missing")):
        with pytest.raises(errors.MotionError) as caught:
            motion.load(tmp_path / name)
        assert caught.value.code == code


def test_a_compressed_file_that_does_not_decompress_is_told(tmp_path):
    np.savez_compressed(tmp_path / "m.npz", displacements=wave().displacements)
    content = bytearray((tmp_path / "m.npz").read_bytes())
    content[60:140] = b"\xff" * 80
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(errors.MotionError, match="is not a motion file"):
        motion.load(tmp_path / "m.npz")


def test_the_file_carries_no_time_of_writing(tmp_path):
    motion.save(wave(), tmp_path / "m.npz")
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
