import math

import numpy as np
import pytest

from backend import errors, schedule


def test_the_cosine_table_matches_values_computed_by_hand():
    table = schedule.cosine(1000).alphas_cumprod
    start = math.cos(0.008 / 1.008 * math.pi / 2) ** 2
    middle = math.cos(0.508 / 1.008 * math.pi / 2) ** 2 / start
    assert table.dtype == np.float64 and len(table) == 1000
    assert table[0] == pytest.approx(0.99995872, abs=1e-8)
    assert table[499] == pytest.approx(middle, abs=1e-12)
    assert middle == pytest.approx(0.493843, abs=1e-6)


def test_the_last_beta_is_capped_so_that_some_signal_is_left():
    table = schedule.cosine(1000).alphas_cumprod
    assert 1 - table[999] / table[998] == pytest.approx(0.999)
    assert 0 < table[999] < 1e-8


def test_the_signal_falls_at_every_step():
    assert (np.diff(schedule.cosine(50).alphas_cumprod) < 0).all()


@pytest.mark.parametrize(("steps", "expected"), [
    (1, [9]), (2, [9, 0]), (4, [9, 6, 3, 0]), (10, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])])
def test_steps_are_spread_evenly_and_end_at_zero(steps, expected):
    assert schedule.timesteps(schedule.cosine(10), steps).tolist() == expected


@pytest.mark.parametrize("steps", [0, 11])
def test_an_impossible_number_of_steps_is_refused_with_the_range(steps):
    with pytest.raises(errors.RequestError, match=rf"{steps} sampling steps.*1 to 10"):
        schedule.timesteps(schedule.cosine(10), steps)
