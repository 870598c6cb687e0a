from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend import errors, motion, pack, pipeline, redo, sessions
from backend.messages import EmotionSpan, Generate, Redo
from tests.data import make_tiny_pack

CPU = sessions.Device("cpu", "cpu")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator(tiny_pack):
    return pipeline.Generator(pack.load(tiny_pack), CPU)


@pytest.fixture
def made(generator, write_wav, voice, tmp_path):
    """A job that has been done, 4.5 s and 135 frames long, and its motion."""
    job = Generate("1", str(write_wav(np.tile(voice, 3))), "", "", seed=1)
    generator.run(job, [tmp_path / "old.npz"])
    return job, tmp_path / "old.npz"


def ranged(start_s, end_s):
    return Redo("m.npz", start_s, end_s)


@pytest.mark.parametrize(("start_s", "end_s", "frames"), [
    (1.0, 2.0, (30, 60)), (0.1, 0.2, (3, 6)), (0.0, 0.001, (0, 1)), (2.99, 99.0, (90, 300)),
    (0.101, 0.167, (4, 6))])
def test_a_frame_is_in_the_range_when_its_time_is(start_s, end_s, frames):
    patch = redo.place(ranged(start_s, end_s), 300, 30.0)
    assert (patch.start, patch.end) == frames


@pytest.mark.parametrize(("start_s", "end_s"), [
    (-1, 2), (2, 2), (3, 2), (10, 11), (0.101, 0.102), (float("nan"), 1), (0, float("inf"))])
def test_a_range_without_a_frame_is_refused(start_s, end_s):
    with pytest.raises(errors.RequestError, match=r"'m\.npz', which has 10\.00 s"):
        redo.place(ranged(start_s, end_s), 300, 30.0)


def test_the_networks_see_eight_seconds_around_the_range():
    patch = redo.place(ranged(20, 21), 3000, 30.0)
    assert (patch.first, patch.stop) == (600 - 240, 630 + 240)
    near_the_start = redo.place(ranged(1, 2), 3000, 30.0)
    assert (near_the_start.first, near_the_start.stop) == (0, 60 + 240)


def test_freedom_grows_from_the_ends_that_have_neighbours():
    freedom = redo.place(ranged(10, 11), 3000, 30.0).freedom[:, 0]
    np.testing.assert_allclose(freedom[240:248], np.minimum(np.arange(1, 9) / 7, 1), atol=1e-6)
    np.testing.assert_array_equal(freedom[240:270], freedom[240:270][::-1])
    assert not freedom[:240].any() and not freedom[270:].any()
    assert redo.place(ranged(0, 100), 3000, 30.0).freedom.min() == 1.0


@pytest.mark.parametrize("size", [1, 7, 100, 3000])
def test_only_the_range_and_six_frames_around_it_are_replaced(size):
    patch = redo.place(ranged(20, 21), 3000, 30.0)
    old, new = np.zeros((3000, 2, 3), np.float32), np.ones((510, 2, 3), np.float32)
    blocks = (old[at:at + size] for at in range(0, 3000, size))
    pieces = (new[at:at + 33] for at in range(0, 510, 33))
    result = np.concatenate(list(redo.spliced(blocks, pieces, patch)))
    assert len(result) == 3000 and not old.any()
    np.testing.assert_allclose(result[593:601, 0, 0], np.arange(8) / 7, atol=1e-6)
    assert np.flatnonzero(result[:, 0, 0]).tolist() == list(range(594, 636))


def test_a_redo_changes_the_range_and_leaves_the_rest_byte_for_byte(generator, made, tmp_path):
    job, old = made
    asked = replace(job, seed=8, redo=Redo(str(old), 1.5, 2.5))
    generator.run(asked, [tmp_path / "new.npz"])
    before, after = motion.load(old), motion.load(tmp_path / "new.npz")
    same = (before.displacements == after.displacements).all(axis=(1, 2))
    assert same[:45 - 6].all() and same[75 + 6:].all() and not same[45:75].all()
    np.testing.assert_array_equal(np.delete(before.codes.numbers, range(45, 75), axis=0),
                                  np.delete(after.codes.numbers, range(45, 75), axis=0))
    assert (after.seed, after.audio_seconds) == (8, 4.5)


def test_a_redo_can_be_redone_and_is_fixed_by_its_seed(generator, made, tmp_path):
    job, old = made
    paths = [tmp_path / f"{number}.npz" for number in range(3)]
    for path, seed in zip(paths, (5, 5, 6), strict=True):
        generator.run(replace(job, seed=seed, redo=Redo(str(old), 0.5, 4.0)), [path])
    contents = [path.read_bytes() for path in paths]
    assert contents[0] == contents[1] != contents[2]
    generator.run(replace(job, redo=Redo(str(paths[2]), 0, 1)), [tmp_path / "again.npz"])
    assert motion.load(tmp_path / "again.npz").codes.numbers.shape == (135, 2)


def test_a_redone_part_goes_over_within_the_fade_wherever_it_lies(tmp_path, write_wav):
    generator = pipeline.Generator(make_tiny_pack.make_emotional(tmp_path / "emotional"), CPU)
    lane = (EmotionSpan("neutral", 1.0, None, 15.0), EmotionSpan("surprised", 1.0, 15.0, None, 1.0))
    job = Generate("1", str(write_wav(np.full(20 * 16000, 0.1, np.float32))), "", "", seed=1,
                   emotions=lane)
    generator.run(job, [tmp_path / "old.npz"])
    generator.run(replace(job, redo=Redo(str(tmp_path / "old.npz"), 14.0, 16.0)),
                  [tmp_path / "new.npz"])
    brows = [motion.load(tmp_path / f"{name}.npz").displacements[:, :, 1].max(axis=1)
             for name in ("old", "new")]
    assert brows[0][[430, 450, 470]] == pytest.approx([0, 0.01, 0.02], abs=1e-4)
    np.testing.assert_allclose(brows[1], brows[0], atol=1e-4)


def without_codes(old):
    motion.save(replace(motion.load(old), codes=None), old)


def of_another_pack(old):
    before = motion.load(old)
    motion.save(replace(before, codes=motion.Codes(before.codes.numbers, "other")), old)


def with_unknown_codes(old):
    before = motion.load(old)
    numbers = np.full_like(before.codes.numbers, 60000)
    motion.save(replace(before, codes=motion.Codes(numbers, before.codes.pack)), old)


@pytest.mark.parametrize(("change", "what"), [
    (without_codes, "does not say which codes"), (with_unknown_codes, "codes that the model"),
    (of_another_pack, "was not made by the model 'tiny-test' as it is now"),
    (lambda old: old.write_bytes(b"PK"), "is not a motion file"),
    (lambda old: old.unlink(), "There is no motion file")])
def test_a_motion_that_cannot_be_redone_is_refused_before_any_work(generator, made, tmp_path,
                                                                   change, what):
    job, old = made
    change(old)
    with pytest.raises(errors.MotionError, match=what) as caught:
        generator.run(replace(job, audio="none.wav", redo=Redo(str(old), 1, 2)),
                      [tmp_path / "new.npz"])
    assert "\n" not in str(caught.value) and not (tmp_path / "new.npz").exists()


def test_a_sound_of_another_length_is_refused(generator, made, tmp_path):
    job, old = made
    with pytest.raises(errors.MotionError, match=r"135 frames for 4\.50 s.*asks for 60"):
        generator.run(replace(job, duration_s=2.0, redo=Redo(str(old), 1, 2)),
                      [tmp_path / "new.npz"])


def test_the_earlier_motion_is_never_written_over(generator, made):
    job, old = made
    with pytest.raises(errors.RequestError, match="is the motion to be redone itself"):
        generator.run(replace(job, redo=Redo(str(old), 1, 2)), [old])


def test_a_motion_of_the_other_width_of_codes_is_refused(made, tmp_path):
    other = make_tiny_pack.make(tmp_path / "pack")
    before = motion.load(made[1])
    narrow = motion.Codes(before.codes.numbers[:, :1], other.fingerprint)
    motion.save(replace(before, codes=narrow), tmp_path / "narrow.npz")
    with pytest.raises(errors.MotionError, match="codes that the model does not have"):
        redo.open_earlier(Redo(str(tmp_path / "narrow.npz"), 0, 1), other, 100)


def test_the_shipped_face_passes_the_seams_no_faster_than_it_moves_elsewhere(tmp_path):
    generator = pipeline.Generator(pack.load(ROOT / "models" / "gldi-flame"), CPU)
    job = Generate("1", str(ROOT / "demo" / "line.wav"), "", "", duration_s=4.0)
    generator.run(job, [tmp_path / "old.npz"])
    asked = replace(job, seed=3, redo=Redo(str(tmp_path / "old.npz"), 1.2, 2.4))
    generator.run(asked, [tmp_path / "new.npz"])
    old, new = (motion.load(tmp_path / f"{name}.npz").displacements for name in ("old", "new"))
    assert np.abs(new - old)[36:72].max() > 1e-4
    usual, here = (np.linalg.norm(np.diff(moved, axis=0), axis=2).mean(axis=1)
                   for moved in (old, new))
    assert here[[34, 35, 36, 70, 71, 72]].max() < np.percentile(usual, 99)
