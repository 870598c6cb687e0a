"""Making clean synthetic speech sound like many people in many rooms through many microphones."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from training.encoder import SAMPLE_RATE_HZ, mel_filters

_WARPS = tuple(0.80 + 0.43 * i / 14 for i in range(15))
_BINS = 257
_BIN_HZ = SAMPLE_RATE_HZ / 512


def uniform(rng: torch.Generator, count: int, low: float, high: float) -> Tensor:
    """Uniform random numbers (count,)."""
    return low + (high - low) * torch.rand(count, generator=rng)


def chance(rng: torch.Generator, count: int, probability: float) -> Tensor:
    """Ones and zeros (count,), one with the given probability."""
    return (torch.rand(count, generator=rng) < probability).float()


def spoil(waveforms: Tensor, rng: torch.Generator) -> Tensor:
    """Room, babble, noise, clipping and gain on waveforms (B, N)."""
    heard = _in_rooms(waveforms, rng)
    heard = _with_noise(heard, _babble(waveforms, rng), chance(rng, len(heard), 0.15), rng)
    heard = _with_noise(heard, steady_sound(heard.shape, rng), chance(rng, len(heard), 0.6), rng)
    gain_db = uniform(rng, len(heard), -34.0, 8.0)
    return (heard * 10 ** (gain_db[:, None] / 20)).clamp(-1.0, 1.0)


def coloured_noise(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Noise (B, N) of unit power whose spectrum falls by 0 (white) to 2 (brown) powers of f."""
    batch, samples = shape
    spectrum = torch.fft.rfft(torch.randn(batch, samples, generator=rng))
    frequency = torch.arange(spectrum.shape[1]).clamp(min=samples / SAMPLE_RATE_HZ * 40)
    slope = uniform(rng, batch, 0.0, 1.0)[:, None]
    noise: Tensor = torch.fft.irfft(spectrum * frequency[None] ** -slope, n=samples)
    return noise / noise.square().mean(dim=1, keepdim=True).sqrt()


def steady_sound(shape: torch.Size, rng: torch.Generator) -> Tensor:
    """What no mouth makes (B, N), of unit power or so: noise; half the rows also hum or whistle."""
    batch, samples = shape
    time_s = torch.arange(samples) / SAMPLE_RATE_HZ
    tones = torch.zeros(batch, samples)
    for _ in range(3):
        hz = torch.exp(uniform(rng, batch, math.log(50.0), math.log(4000.0)))[:, None]
        tones += chance(rng, batch, 0.6)[:, None] * torch.sin(2 * torch.pi * hz * time_s)
    tonal = chance(rng, batch, 0.5) * uniform(rng, batch, 0.2, 1.0)
    noise: Tensor = coloured_noise(shape, rng)
    return noise + tonal[:, None] * (tones - noise)


def _babble(waveforms: Tensor, rng: torch.Generator) -> Tensor:
    """Four other clips of the batch, talking at once."""
    order = torch.randperm(len(waveforms), generator=rng)
    others = (waveforms[order.roll(k)].roll(997 * k, dims=1) for k in range(1, 5))
    return torch.stack(list(others)).sum(dim=0)


def _with_noise(clean: Tensor, noise: Tensor, which: Tensor, rng: torch.Generator) -> Tensor:
    """Add noise at 4 to 32 dB below the speech where `which` (B,) is one."""
    ratio_db = uniform(rng, len(clean), 4.0, 32.0)
    levels = [x.square().mean(dim=1).clamp(min=1e-9).sqrt() for x in (clean, noise)]
    gain = which * levels[0] / levels[1] * 10 ** (-ratio_db / 20)
    return clean + gain[:, None] * noise


def _in_rooms(waveforms: Tensor, rng: torch.Generator) -> Tensor:
    """Exponentially decaying reverberation on a third of the waveforms."""
    batch, samples = waveforms.shape
    time_s = torch.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    decay_s = uniform(rng, batch, 0.08, 0.6)[:, None]
    tail = torch.randn(batch, len(time_s), generator=rng) * torch.exp(-6.9 * time_s / decay_s)
    tail = tail / tail.square().sum(dim=1, keepdim=True).sqrt()
    wet = chance(rng, batch, 0.35) * uniform(rng, batch, 0.1, 0.9)
    size = samples + len(time_s)
    room: Tensor = torch.fft.irfft(
        torch.fft.rfft(waveforms, size) * torch.fft.rfft(tail, size), size
    )
    mixed: Tensor = waveforms + wet[:, None] * room[:, :samples]
    return mixed


class SpectralWarp:
    """Other vocal tracts, microphones and pitches, applied to power spectra (B, 257, T)."""

    def __init__(self, bands: int) -> None:
        self.filters = torch.stack(
            [
                torch.from_numpy(mel_filters(bands, 60.0 * w, min(7600.0 * w, 7950.0)))
                for w in _WARPS
            ]
        )

    def __call__(self, power: Tensor, rng: torch.Generator) -> Tensor:
        """Mel power (B, bands, T) of equalised, blurred spectra through warped filters."""
        batch = len(power)
        coloured = power * _equaliser(batch, rng)[..., None]
        blurred = functional.avg_pool2d(coloured[:, None], (5, 1), 1, (2, 0))[:, 0]
        blur = chance(rng, batch, 0.4)[:, None, None]
        chosen = torch.randint(len(_WARPS), (batch,), generator=rng)
        mel: Tensor = torch.bmm(self.filters[chosen], coloured + blur * (blurred - coloured))
        return mel


def _equaliser(batch: int, rng: torch.Generator) -> Tensor:
    """Power gain (B, 257): smooth random colour, a tilt, and sometimes a telephone's band."""
    knots = 5.0 * torch.randn(batch, 1, 7, generator=rng)
    colour_db = functional.interpolate(knots, size=_BINS, mode="linear", align_corners=True)[:, 0]
    octaves = torch.log2((torch.arange(_BINS) * _BIN_HZ).clamp(min=80.0) / 1000.0)
    tilt_db = uniform(rng, batch, -3.0, 3.0)[:, None] * octaves
    gain: Tensor = 10 ** ((colour_db + tilt_db) / 10) * _band(batch, rng)
    return gain


def _band(batch: int, rng: torch.Generator) -> Tensor:
    """Power gain (B, 257) of a low-pass and a high-pass, each on some of the batch."""
    hz = torch.arange(_BINS) * _BIN_HZ
    top_hz = torch.exp(uniform(rng, batch, math.log(2800.0), math.log(7500.0)))[:, None]
    bottom_hz = uniform(rng, batch, 80.0, 350.0)[:, None]
    low_pass = 1 / (1 + (hz / top_hz) ** 16)
    high_pass = 1 - 1 / (1 + (hz / bottom_hz) ** 8)
    some = chance(rng, batch, 0.3)[:, None], chance(rng, batch, 0.3)[:, None]
    return (1 + some[0] * (low_pass - 1)) * (1 + some[1] * (high_pass - 1)) + 1e-6
