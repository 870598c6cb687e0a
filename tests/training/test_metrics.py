"""Metrics against values worked out by hand."""

import math

import numpy as np
import pytest

from training import metrics
from training.masks import Region

LIPS = Region("lips (2 vertices)", np.array([0, 1]))
ALL = Region("all (3 vertices)", np.arange(3))


def still(frames: int) -> metrics.Array:
    return np.zeros((frames, 3, 3), dtype=np.float32)


def values(figures: list[metrics.Figure]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}


def test_lve_takes_the_worst_lip_vertex_squared_and_averages_frames() -> None:
    predicted = still(2)
    predicted[0, 0] = [0.003, 0.004, 0]
    predicted[0, 1] = [0.001, 0, 0]
    predicted[:, 2] = 9.0
    figure = metrics.lve(metrics.compared(predicted, still(2)), LIPS)
    assert figure.value == pytest.approx(12.5e-6)
    assert (figure.unit, figure.mask, figure.weight) == ("m^2", "lips (2 vertices)", 2)
    unsquared = metrics.lve_unsquared(metrics.compared(predicted, still(2)), LIPS)
    assert unsquared.value == pytest.approx(2.5)
    assert metrics.root(figure).value == pytest.approx(12.5**0.5)
    assert (metrics.root(figure).name, metrics.root(figure).unit) == ("LVE root", "mm")


def test_the_lip_error_is_told_as_a_mean_and_as_the_largest() -> None:
    predicted = still(2)
    predicted[0, 0] = [0.003, 0.004, 0]
    predicted[1, 1] = [0.001, 0, 0]
    found = values(metrics.lip_error(metrics.compared(predicted, still(2)), LIPS))
    assert found["lip error"] == pytest.approx(6 / 4)  # mm, of two lips in two frames
    assert found["lip error, largest"] == pytest.approx(5.0)


def test_eve_is_the_same_on_another_mask() -> None:
    predicted = still(1)
    predicted[0, 2] = [0, 0, 0.002]
    eyes = Region("eyes (1 vertices)", np.array([2]))
    figure = metrics.eve(metrics.compared(predicted, still(1)), eyes)
    assert (figure.name, figure.value) == ("EVE", pytest.approx(4e-6))


def test_mve_is_given_in_the_three_ways_the_field_writes_it() -> None:
    predicted = still(1)
    predicted[0, 0] = [0.003, 0, 0]
    predicted[0, 1] = [0, 0.006, 0]
    found = values(metrics.mve(metrics.compared(predicted, still(1)), ALL))
    assert found["MVE mean_l2"] == pytest.approx(3.0)  # mm
    assert found["MVE mean_l2_sq"] == pytest.approx(15e-6)
    assert found["MVE max_l2_sq"] == pytest.approx(36e-6)


def test_fdd_is_positive_when_the_prediction_moves_too_little() -> None:
    truth = still(2)
    truth[1, :, 0] = 2.0
    assert values(metrics.fdd(metrics.compared(still(2), truth), LIPS)) == {
        "FDD": pytest.approx(2.0),
        "FDD abs": pytest.approx(2.0),
    }
    assert values(metrics.fdd(metrics.compared(truth, still(2)), LIPS))["FDD"] == -2.0


def test_the_longer_motion_is_cut() -> None:
    longer = still(5)
    longer[3:] = 1.0
    figure = metrics.lve(metrics.compared(longer, still(3)), LIPS)
    assert (figure.value, figure.weight) == (0.0, 3)


def test_pooling_counts_frames_for_errors_and_clips_for_fdd() -> None:
    one, two = still(1), still(3)
    one[:, 0, 0] = 0.002
    pairs = [metrics.compared(one, still(1)), metrics.compared(two, still(3))]
    clips = [[metrics.lve(pair, LIPS), *metrics.fdd(pair, LIPS)] for pair in pairs]
    assert values(metrics.pool(clips))["LVE"] == pytest.approx(1e-6)


def test_the_largest_error_of_clips_is_that_of_the_worst_clip() -> None:
    clips = [[metrics.Figure("largest", value, "mm", "", 3, largest=True)]
             for value in (1.0, math.nan, 4.0, 2.0)]  # fmt: skip
    pooled = metrics.pool(clips)[0]
    assert (pooled.value, pooled.weight) == (4.0, 9)
    assert math.isnan(metrics.pool([clips[1]])[0].value)


def test_pooling_leaves_out_what_a_clip_has_not() -> None:
    figures = [metrics.Figure("closure", value, "", "", 2) for value in (0.5, math.nan)]
    assert metrics.pool([[figure] for figure in figures])[0].value == 0.5
    assert math.isnan(metrics.pool([[figures[1]]])[0].value)


def test_diversity_averages_over_all_pairs() -> None:
    samples = [still(1) + np.float32(x) * np.array([1, 0, 0], np.float32) for x in (0, 1e-3, 3e-3)]
    assert metrics.diversity(samples, ALL).value == pytest.approx(2.0)


def test_aperture_is_the_vertical_gap_beyond_rest() -> None:
    motion = still(1)
    motion[0, 0, 1], motion[0, 1, 1] = 0.001, -0.004
    pairs = np.array([[0, 1]], dtype=np.int32)
    assert metrics.aperture_m(motion, pairs).tolist() == pytest.approx([0.005])


def test_a_closure_counts_when_the_lips_meet_within_a_frame_of_the_span() -> None:
    aperture = np.full(30, 0.01, dtype=np.float32)
    aperture[10] = 0.0
    spans = [(11 / 30, 12 / 30), (20 / 30, 22 / 30)]
    figure = metrics.closure(aperture, spans, fps=30, closed_m=0.002)
    assert (figure.value, figure.weight) == (0.5, 2)
    assert math.isnan(metrics.closure(aperture, [], fps=30, closed_m=0.002).value)


def test_an_opening_two_frames_late_lags_by_two_frames() -> None:
    truth = np.interp(np.arange(40), [10, 14, 20, 24], [0, 1, 1, 0]).astype(np.float32)
    late = 0.3 * np.roll(truth, 2)
    assert metrics.onset_lag(late, truth, fps=25).value == pytest.approx(80.0)
    assert metrics.onset_lag(truth, late, fps=25).value == pytest.approx(-80.0)
    assert math.isnan(metrics.onset_lag(np.roll(truth, 10), truth, fps=25).value)
    assert math.isnan(metrics.onset_lag(np.zeros(40, np.float32), truth, fps=25).value)


def test_a_steady_acceleration_has_no_jitter() -> None:
    motion = still(6)
    motion[:, :, 0] = (np.arange(6) ** 2)[:, None] * 1e-3
    assert metrics.jitter(motion, ALL).value == pytest.approx(0.0, abs=1e-4)


def test_jitter_is_the_third_difference_in_mm() -> None:
    motion = still(4)
    motion[3, :, 1] = 2e-3
    assert metrics.jitter(motion, ALL).value == pytest.approx(2.0)


def test_a_still_track_correlates_with_nothing() -> None:
    ramp = np.arange(5, dtype=np.float32)
    assert metrics.correlation(ramp, ramp * 2) == pytest.approx(1.0)
    assert metrics.correlation(ramp, np.ones(5, np.float32)) == 0.0
