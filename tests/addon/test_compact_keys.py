"""Fewest shape keys within a tenth of a millimetre."""

import numpy as np
import pytest

from blender_addon import compact_keys


def motion(frames: int, vertices: int, directions: int, seed: int = 0) -> np.ndarray:
    """Random motion (T, V, 3) of a known rank, some centimetres large, ever weaker directions."""
    random = np.random.default_rng(seed)
    values = np.cumsum(random.standard_normal((frames, directions)), axis=0)
    strength = 1e-3 * 0.8 ** np.arange(directions)[:, None]
    shapes = random.standard_normal((directions, vertices * 3)) * strength
    return (values @ shapes).reshape(frames, vertices, 3).astype(np.float32)


def rebuilt(compact: compact_keys.CompactMotion) -> np.ndarray:
    return np.einsum("tk,kvc->tvc", compact.values, compact.shapes)


def largest_error(compact: compact_keys.CompactMotion, true: np.ndarray) -> float:
    return float(np.linalg.norm(rebuilt(compact) - true, axis=2).max())


@pytest.mark.parametrize("frames", [7, 60, 400])
def test_motion_of_five_directions_needs_five_keys(frames):
    true = motion(frames, 200, 5)
    compact = compact_keys.compress(true)
    assert len(compact.shapes) == 5
    assert largest_error(compact, true) < 1e-4


def test_the_reported_error_is_the_true_largest_one():
    true = motion(300, 150, 40)
    compact = compact_keys.compress(true, tolerance_m=1e-3)
    assert compact.error_m == pytest.approx(largest_error(compact, true), rel=1e-3)
    assert 0 < compact.error_m <= 1e-3


def test_one_key_fewer_would_miss_the_tolerance():
    true = motion(300, 150, 40)
    compact = compact_keys.compress(true, tolerance_m=1e-3)
    fewer = compact_keys.compress(true, tolerance_m=1e-3, key_limit=len(compact.shapes) - 1)
    assert fewer.error_m > 1e-3


def test_the_limit_holds_and_the_error_says_so():
    compact = compact_keys.compress(motion(200, 100, 90), key_limit=10)
    assert compact.shapes.shape == (10, 100, 3)
    assert compact.error_m > 1e-4


def test_values_peak_at_exactly_one():
    values = compact_keys.compress(motion(100, 80, 6)).values
    np.testing.assert_array_equal(np.abs(values).max(axis=0), np.ones(6, dtype=np.float32))
    np.testing.assert_array_equal(values.max(axis=0), np.ones(6, dtype=np.float32))


def test_a_still_face_needs_no_key():
    compact = compact_keys.compress(np.zeros((30, 50, 3), dtype=np.float32))
    assert compact.shapes.shape == (0, 50, 3)
    assert compact.values.shape == (30, 0)
    assert compact.error_m == 0.0


def test_a_single_frame_is_one_key():
    compact = compact_keys.compress(motion(1, 50, 1) + 0.01)
    assert compact.values.tolist() == [[1.0]]


def test_the_same_motion_gives_the_same_keys():
    first, second = (compact_keys.compress(motion(150, 60, 12)) for _ in range(2))
    assert first.shapes.tobytes() == second.shapes.tobytes()
    assert first.values.tobytes() == second.values.tobytes()
