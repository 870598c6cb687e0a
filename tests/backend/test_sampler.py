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
@pytest.mark.parametrize("method", [sampler.ddim, sampler.ddpm, sampler.dpmpp_2m])
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


@pytest.mark.parametrize(("method", "steps"), [(sampler.ddpm, 1000), (sampler.ddim, 100),
                                               (sampler.dpmpp_2m, 25)])
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


def test_a_denoiser_can_stop_the_work():
    seen = []

    def denoise(noisy, n):
        seen.append(n)
        if len(seen) == 3:
            raise Cancelled
        return noisy

    with pytest.raises(Cancelled):
        sampler.ddim(denoise, sampler.gaussian(0, (1,)), COSINE, 4)
    assert seen == [999, 666, 333]


def end_of_the_flow(mean, variance, noise):
    """Where the probability flow takes noise at step 999 when x0 ~ N(mean, variance): each x_n
    keeps its place in the Gaussian of its step."""
    first, last = (float(COSINE.alphas_cumprod[n]) for n in (999, 0))
    place = (noise - np.sqrt(first) * mean) / np.sqrt(first * variance + 1 - first)
    noisy = np.sqrt(last) * mean + np.sqrt(last * variance + 1 - last) * place
    return gaussian_denoise(mean, variance)(noisy, 0)


@pytest.mark.parametrize(("steps", "ddim_error", "times"), [
    (6, 0.135, 1.3), (8, 0.099, 1.8), (12, 0.065, 3.7), (16, 0.049, 8.2), (25, 0.031, 80)])
def test_second_order_comes_closer_than_ddim_with_the_same_steps(steps, ddim_error, times):
    denoise, draw = gaussian_denoise(1.5, 0.25), sampler.gaussian(0, (4000,))
    exact = end_of_the_flow(1.5, 0.25, sampler.gaussian(0, (4000,))())
    first, second = (np.sqrt(np.mean((made - exact) ** 2)) for made in (
        sampler.ddim(denoise, sampler.gaussian(0, (4000,)), COSINE, steps),
        sampler.dpmpp_2m(denoise, draw, COSINE, steps)))
    assert first == pytest.approx(ddim_error, rel=0.03)
    assert second * times * 0.95 < first


def test_up_to_two_steps_second_order_is_ddim():
    denoise = gaussian_denoise(0.3, 0.5)
    for steps in (1, 2):
        one, other = (method(denoise, sampler.gaussian(2, (9,)), COSINE, steps)
                      for method in (sampler.ddim, sampler.dpmpp_2m))
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(("name", "eta"), [("ddim", 0.0), ("ddim", 1.0), ("ddpm", 0.0),
                                           ("dpmpp_2m", 0.0)])
def test_every_name_of_a_manifest_is_a_sampler_that_keeps_float32(name, eta):
    drawn = sampler.named(name, eta)(gaussian_denoise(0, 1), sampler.gaussian(0, (3, 2)), COSINE, 5)
    assert drawn.dtype == np.float32 and drawn.shape == (3, 2)


@pytest.mark.parametrize("name", ["ddim", "ddpm", "dpmpp_2m"])
def test_what_is_held_is_seen_as_noised_as_its_step_is_and_comes_out_unchanged(name):
    known, freedom = np.full((9000, 1), 0.7, dtype=np.float32), np.zeros((9000, 1), np.float32)
    freedom[8000:] = 1
    seen = {}

    def denoise(noisy, n):
        seen[n] = noisy[:8000]
        return gaussian_denoise(0.7, 0.25)(noisy, n)

    drawn = sampler.named(name)(sampler.held(denoise, sampler.Hold(known, freedom)),
                                sampler.gaussian(0, known.shape), COSINE, 8)
    np.testing.assert_array_equal(drawn[:8000], known[:8000])
    assert np.abs(drawn[8000:] - 0.7).max() > 0.5
    for n, noisy in seen.items():
        a = float(COSINE.alphas_cumprod[n])
        assert noisy.mean() == pytest.approx(np.sqrt(a) * 0.7, abs=0.03)
        assert noisy.std() == pytest.approx(np.sqrt(1 - a), rel=0.03)
