import itertools

import numpy as np
import pytest

from backend import features, windows


def test_what_fits_is_one_window():
    assert windows.spans(600, 600, 60) == [(0, 600)]


def test_windows_are_equally_long_and_cover_all():
    assert windows.spans(1300, 600, 60) == [(0, 600), (350, 950), (700, 1300)]


@pytest.mark.parametrize("total", [601, 1140, 1141, 5000, 108000])
def test_neighbours_share_at_least_the_overlap(total):
    places = windows.spans(total, 600, 60)
    assert places[0][0] == 0 and places[-1][1] == total
    assert all(a[1] - b[0] >= 60 for a, b in itertools.pairwise(places))


@pytest.mark.parametrize("total", [10, 11, 25, 97])
def test_pieces_of_one_sequence_join_to_that_sequence(total):
    whole = np.random.default_rng(0).normal(size=(total, 2)).astype(np.float32)
    places = windows.spans(total, 10, 3)
    blocks = list(windows.cross_fade(places, (whole[a:b] for a, b in places)))
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)


def test_windows_that_differ_go_over_linearly():
    places = [(0, 5), (2, 7)]
    pieces = [np.zeros(5, dtype=np.float32), np.ones(5, dtype=np.float32)]
    joined = np.concatenate(list(windows.cross_fade(places, pieces)))
    np.testing.assert_allclose(joined, [0, 0, 0.25, 0.5, 0.75, 1, 1])


def test_features_stand_in_the_middle_of_their_span():
    rows = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    at_25_fps = features.to_frames(rows, rate_hz=50, frames=3, fps=25)
    np.testing.assert_allclose(at_25_fps[:, 0], [0.0, 1.5, 3.0])
