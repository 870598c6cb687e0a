"""Metrics against values worked out by hand."""

import math

import numpy as np
import pytest

from training import metrics

LIPS = np.array([True, True, False])


def still(frames: int) -> metrics.Array:
    return np.zeros((frames, 3, 3), dtype=np.float32)


def test_lve_takes_the_worst_lip_vertex_squared_and_averages_frames() -> None:
    predicted = still(2)
    predicted[0, 0] = [0.003, 0.004, 0]
    predicted[0, 1] = [0.001, 0, 0]
    predicted[:, 2] = 9.0
    assert metrics.lip_vertex_error_m2(predicted, still(2), LIPS) == pytest.approx(12.5e-6)
    assert metrics.lip_vertex_error_mm(predicted, still(2), LIPS) == pytest.approx(2.5)


def test_fdd_is_positive_when_the_prediction_moves_too_little() -> None:
    truth = still(2)
    truth[1, :, 0] = 2.0
    deviation = metrics.facial_dynamics_deviation_m2(still(2), truth, LIPS)
    assert deviation == pytest.approx(2.0)
    assert metrics.facial_dynamics_deviation_m2(truth, still(2), LIPS) == pytest.approx(-2.0)


def test_diversity_averages_over_all_pairs() -> None:
    samples = [still(1) + np.float32(x) * np.array([1, 0, 0], np.float32) for x in (0, 1e-3, 3e-3)]
    assert metrics.diversity_mm(samples) == pytest.approx(2.0)


def test_aperture_is_the_vertical_gap_beyond_rest() -> None:
    motion = still(1)
    motion[0, 0, 1], motion[0, 1, 1] = 0.001, -0.004
    pairs = np.array([[0, 1]], dtype=np.int32)
    assert metrics.aperture_m(motion, pairs).tolist() == pytest.approx([0.005])


def test_a_closure_counts_when_the_lips_meet_within_a_frame_of_the_span() -> None:
    aperture = np.full(30, 0.01, dtype=np.float32)
    aperture[10] = 0.0
    spans = [(11 / 30, 12 / 30), (20 / 30, 22 / 30)]
    assert metrics.closure_rate(aperture, spans, fps=30, closed_m=0.002) == 0.5
    assert math.isnan(metrics.closure_rate(aperture, [], fps=30, closed_m=0.002))


def test_a_steady_acceleration_has_no_jitter() -> None:
    motion = still(6)
    motion[:, :, 0] = (np.arange(6) ** 2)[:, None] * 1e-3
    assert metrics.jitter_mm_per_frame3(motion) == pytest.approx(0.0, abs=1e-4)


def test_a_still_track_correlates_with_nothing() -> None:
    ramp = np.arange(5, dtype=np.float32)
    assert metrics.correlation(ramp, ramp * 2) == pytest.approx(1.0)
    assert metrics.correlation(ramp, np.ones(5, np.float32)) == 0.0
