"""Sounds that no mouth shapes: noise, tones, buzzes and breaths, drawn a row at a time."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from training.encoder import SAMPLE_RATE_HZ

_RESONANCES = 3


def uniform(rng: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """Uniform random numbers (count,)."""
    return low + (high - low) * torch.rand(count, generator=rng)


def chance(rng: torch.Generator, count: int, probability: float) -> Tensor:
    """Ones and zeros (count,), one with the given probability."""
    return (torch.rand(count, generator=rng) < probability).float()


def wordless(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Sounds (B, N) of unit power: a row is noise, tones with noise, a buzz or breathing."""
    rows = torch.empty(shape)
    kinds = torch.multinomial(torch.tensor(_ODDS), len(rows), replacement=True, generator=rng)
    for kind, make in enumerate(_KINDS):
        chosen = kinds == kind
        if count := int(chosen.sum()):
            rows[chosen] = make(torch.Size((count, shape[1])), rng)
    return rows


def coloured_noise(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Noise (B, N) of unit power whose spectrum falls by 0 (white) to 2 (brown) powers of f."""
    batch, samples = shape
    spectrum = torch.fft.rfft(torch.randn(batch, samples, generator=rng))
    frequency = torch.arange(spectrum.shape[1]).clamp(min=samples / SAMPLE_RATE_HZ * 40)
    slope = uniform(rng, batch, 0.0, 1.0)[:, None]
    return _of_unit_power(torch.fft.irfft(spectrum * frequency[None] ** -slope, n=samples))


def tones(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """One to three whistling or humming tones (B, N) of unit power over some noise."""
    batch, samples = shape
    sum_of = torch.zeros(shape)
    for k in range(3):
        hz = _log_uniform(rng, batch, 50.0, 4000.0)
        sounds = chance(rng, batch, 0.6) if k else torch.ones(batch)
        sum_of += sounds[:, None] * torch.sin(2 * torch.pi * hz[:, None] * _time_s(samples))
    noisy = 10 ** uniform(rng, batch, -3.0, 0.0)[:, None] * coloured_noise(shape, rng)
    return _of_unit_power(sum_of + noisy)


def buzz(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Mains hum, motors, fans (B, N) of unit power: unchanging harmonics of 40 to 400 Hz.

    The pulse exp(s cos) has harmonics that fall the slower, the sharper (s) it is.
    """
    batch, samples = shape
    hz = _log_uniform(rng, batch, 40.0, 400.0)[:, None]
    sharpness = _log_uniform(rng, batch, 0.3, 60.0)[:, None]
    pulses = torch.exp(sharpness * (torch.cos(2 * torch.pi * hz * _time_s(samples)) - 1.0))
    pulses = _of_unit_power(pulses - pulses.mean(dim=1, keepdim=True))
    noisy = 10 ** uniform(rng, batch, -3.0, 0.0)[:, None] * coloured_noise(shape, rng)
    return _of_unit_power(pulses + noisy)


def breath(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Breathing (B, N) of unit power: air hissing through broad resonances, swelling and fading."""
    batch, samples = shape
    hz = torch.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    gain = torch.full((batch, len(hz)), 0.02)
    for _ in range(_RESONANCES):
        peak_hz = _log_uniform(rng, batch, 250.0, 6000.0)[:, None]
        width_hz = _log_uniform(rng, batch, 150.0, 1500.0)[:, None]
        height = uniform(rng, batch, 0.1, 1.0)[:, None]
        gain += height / (1.0 + ((hz - peak_hz) / width_hz) ** 2)
    white = torch.fft.rfft(torch.randn(batch, samples, generator=rng))
    hiss: Tensor = torch.fft.irfft(white * gain, n=samples)
    return _of_unit_power(hiss * _swells(batch, samples, rng))


def _swells(batch: int, samples: int, rng: torch.Generator) -> Tensor:
    """Breaths' loudness (B, N), 0..1: one every 0.6 to 5 s, for the share of that it lasts."""
    every_s = _log_uniform(rng, batch, 0.6, 5.0)[:, None]
    share = uniform(rng, batch, 0.25, 1.0)[:, None]
    phase = (_time_s(samples) / every_s + torch.rand(batch, 1, generator=rng)) % 1.0
    swell = torch.sin(torch.pi * (phase / share).clamp(max=1.0)).clamp(min=0.0)
    return swell ** _log_uniform(rng, batch, 0.5, 3.0)[:, None]


_KINDS: tuple[Callable[[torch.Size, torch.Generator], Tensor], ...] = (
    coloured_noise,
    tones,
    buzz,
    breath,
)
_ODDS = (0.3, 0.2, 0.2, 0.3)


def _of_unit_power(sound: Tensor) -> Tensor:
    return sound * torch.rsqrt(sound.square().mean(dim=1, keepdim=True) + 1e-12)


def _log_uniform(rng: torch.Generator, count: int, low: float, high: float) -> Tensor:
    return torch.exp(uniform(rng, count, math.log(low), math.log(high)))


def _time_s(samples: int) -> Tensor:
    return torch.arange(samples) / SAMPLE_RATE_HZ
