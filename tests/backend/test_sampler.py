import numpy as np
import pytest

from backend import sampler, schedule
from backend.errors import Cancelled

COSINE = schedule.cosine(1000)
TRUTH = np.linspace(-2, 2, 12, dtype=np.float32).reshape(4, 3)


def gaussian_denoise(mean, variance):
    """The exact posterior mean of x0 ~ N(mean, variance) given x_n."""

    def denoise(noisy, n):
        a = float(COSINE.alphas_cumprod[n])
        gain = np.sqrt(a) * variance / (a * variance + 1 - a)
        return (mean + gain * (noisy - np.sqrt(a) * mean)).astype(np.float32)

    return denoise


@pytest.mark.parametrize("steps", [1, 7, 50])
@pytest.mark.parametrize("method", [sampler.ddim, sampler.ddpm])
def test_a_perfect_denoiser_gives_the_truth(method, steps):
    drawn = method(lambda noisy, n: TRUTH, sampler.gaussian(0, TRUTH.shape), COSINE, steps)
    np.testing.assert_array_equal(drawn, TRUTH)


def test_ddim_without_eta_draws_noise_once():
    draws = []

    def draw():
        draws.append(1)
        return np.ones((2, 2), dtype=np.float32)

    sampler.ddim(lambda noisy, n: 0.5 * noisy, draw, COSINE, 9)
    assert len(draws) == 1


def test_ddim_with_eta_one_is_ddpm():
    denoise = gaussian_denoise(0.3, 0.5)
    one = sampler.ddim(denoise, sampler.gaussian(5, (6, 4)), COSINE, 20, eta=1.0)
    other = sampler.ddpm(denoise, sampler.gaussian(5, (6, 4)), COSINE, 20)
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(("method", "steps"), [(sampler.ddpm, 1000), (sampler.ddim, 100)])
def test_exact_scores_of_a_gaussian_give_back_its_mean_and_spread(method, steps):
    denoise = gaussian_denoise(1.5, 0.25)
    drawn = method(denoise, sampler.gaussian(1, (20000,)), COSINE, steps)
    assert drawn.mean() == pytest.approx(1.5, abs=0.02)
    assert drawn.std() == pytest.approx(0.5, abs=0.02)


def test_one_step_gives_the_posterior_mean_of_pure_noise():
    drawn = sampler.ddim(gaussian_denoise(1.5, 0.25), sampler.gaussian(1, (8,)), COSINE, 1)
    np.testing.assert_allclose(drawn, 1.5, atol=1e-4)


def test_the_seed_alone_decides_the_result():
    def run(seed):
        return sampler.ddpm(gaussian_denoise(0, 1), sampler.gaussian(seed, (5,)), COSINE, 10)

    np.testing.assert_array_equal(run(3), run(3))
    assert np.abs(run(3) - run(4)).min() > 1e-3


def test_arrays_stay_float32():
    drawn = sampler.ddim(gaussian_denoise(0, 1), sampler.gaussian(0, (3, 2)), COSINE, 5, eta=0.5)
    assert drawn.dtype == np.float32 and drawn.shape == (3, 2)


def test_every_step_is_reported_and_a_report_can_stop_the_work():
    seen = []

    def on_step(done, total):
        seen.append((done, total))
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        sampler.ddim(lambda noisy, n: noisy, sampler.gaussian(0, (1,)), COSINE, 8, on_step=on_step)
    assert seen == [(1, 8), (2, 8), (3, 8)]
