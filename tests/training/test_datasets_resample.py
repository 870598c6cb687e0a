import numpy as np
import pytest

from tests.training.dataset_files import motion
from training.datasets import resample


class Watched(resample.ArrayTrack):
    """Remembers which frames were read."""

    def read(self, which):
        reads.append(which.tolist())
        return super().read(which)


reads: list[list[int]] = []


@pytest.mark.parametrize("frames", [1, 2, 3, 60, 61])
def test_60_to_30_fps_is_every_second_frame_to_the_bit(frames):
    positions = motion(frames)
    assert np.array_equal(resample.at_fps(positions, 60, 30), positions[::2])


def test_60_to_25_fps_lies_between_the_neighbours():
    positions = motion(13)
    found = resample.at_fps(positions, 60, 25)
    # Frame k is at old frame 2.4 k: 0, 2.4, 4.8, 7.2, 9.6, 12.
    assert len(found) == 6
    assert np.allclose(found[1], 0.6 * positions[2] + 0.4 * positions[3], atol=1e-6)
    assert np.allclose(found[3], 0.8 * positions[7] + 0.2 * positions[8], atol=1e-6)
    assert np.array_equal(found[5], positions[12])


def test_up_and_down_again_gives_the_same():
    positions = motion(20)
    assert np.array_equal(resample.at_fps(resample.at_fps(positions, 30, 60), 60, 30), positions)


def test_only_the_frames_between_which_it_lies_are_read():
    reads.clear()
    track = Watched(motion(1000), 60)
    resample.read(track, resample.picks(1000, 60, 25, 100, 102))
    resample.read(track, resample.picks(1000, 60, 30, 100, 102))
    assert reads == [[240, 242, 243], [200, 202]]


def test_an_hour_at_29_97_fps_does_not_drift():
    where = resample.picks(107892, 30000 / 1001, 30)
    seconds = (where.low[-1] + where.weight[-1]) * 1001 / 30000
    assert len(where.low) == 107999
    assert seconds == pytest.approx(107998 / 30, abs=1e-9)


def test_the_count_and_a_part_agree_with_the_whole():
    positions = motion(31)
    whole = resample.at_fps(positions, 60, 25)
    assert resample.frame_count(31, 60, 25) == len(whole) == 13
    track = resample.ArrayTrack(positions, 60)
    part = resample.read(track, resample.picks(31, 60, 25, 5, 9))
    assert np.array_equal(part, whole[5:9])
