"""Making clean synthetic speech sound like many people in many rooms through many microphones."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from training.encoder import SAMPLE_RATE_HZ, mel_filters
from training.encoder_sounds import chance, uniform, wordless

_WARPS = tuple(0.80 + 0.43 * i / 14 for i in range(15))
_BINS = 257
_BIN_HZ = SAMPLE_RATE_HZ / 512


def spoil(waveforms: Tensor, rng: torch.Generator) -> Tensor:
    """Room, babble, noise, gain, clipping and a coarse codec on waveforms (B, N)."""
    heard = _in_rooms(waveforms, rng)
    heard = _with_noise(heard, _babble(waveforms, rng), chance(rng, len(heard), 0.15), rng)
    heard = _with_noise(heard, wordless(heard.shape, rng), chance(rng, len(heard), 0.6), rng)
    heard = _clipped(heard, chance(rng, len(heard), 0.05), rng)
    gain_db = uniform(rng, len(heard), -34.0, 8.0)
    loud = (heard * 10 ** (gain_db[:, None] / 20)).clamp(-1.0, 1.0)
    return _companded(loud, chance(rng, len(heard), 0.1))


def narrow_band(waveforms: Tensor, rng: torch.Generator) -> Tensor:
    """Waveforms (B, N) as files of 7 to 9 kHz bring them: nothing at all above half that."""
    top_hz = uniform(rng, len(waveforms), 3500.0, 4500.0)[:, None]
    hz = torch.fft.rfftfreq(waveforms.shape[1], 1 / SAMPLE_RATE_HZ)
    # The resampler's edge is a few hundred Hz wide.
    kept = ((top_hz - hz) / 300.0).clamp(0.0, 1.0)
    narrow: Tensor = torch.fft.irfft(torch.fft.rfft(waveforms) * kept, n=waveforms.shape[1])
    return narrow


def _clipped(sound: Tensor, which: Tensor, rng: torch.Generator) -> Tensor:
    """Overdriven recordings: what exceeds 10 to 90 % of a row's peak is cut off."""
    limit = sound.abs().amax(dim=1, keepdim=True) * uniform(rng, len(sound), 0.1, 0.9)[:, None]
    cut = torch.minimum(torch.maximum(sound, -limit), limit)
    return sound + which[:, None] * (cut - sound)


def _companded(sound: Tensor, which: Tensor) -> Tensor:
    """8 bits of mu-law (ITU-T G.711's curve): the telephone's grain."""
    curve = torch.log1p(255.0 * sound.abs()) / math.log(256.0)
    grained = torch.sign(sound) * (torch.exp((curve * 127).round() / 127 * math.log(256.0)) - 1)
    return sound + which[:, None] * (grained / 255.0 - sound)


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

    def __init__(self, bands: int, device: torch.device | None = None) -> None:
        self.filters = torch.stack(
            [
                torch.from_numpy(mel_filters(bands, 60.0 * w, min(7600.0 * w, 7950.0)))
                for w in _WARPS
            ]
        ).to(device)

    def __call__(self, power: Tensor, rng: torch.Generator) -> Tensor:
        """Mel power (B, bands, T) of equalised, blurred spectra through warped filters."""
        return self.as_voices(power, draw_voices(len(power), rng))

    def as_voices(self, power: Tensor, voices: "Voices") -> Tensor:
        """Mel power (B, bands, T) of spectra (B, 257, T), each changed as its row says."""
        coloured = power * voices.gain[..., None]
        blurred = functional.avg_pool2d(coloured[:, None], (5, 1), 1, (2, 0))[:, 0]
        mixed = coloured + voices.blur[:, None, None] * (blurred - coloured)
        mel: Tensor = torch.bmm(self.filters[voices.warp], mixed)
        return mel


class Voices(NamedTuple):
    """How each row sounds: power gain (B, 257), blurred or not (B,), warp's number (B,)."""

    gain: Tensor
    blur: Tensor
    warp: Tensor

    def of(self, rows: Tensor) -> "Voices":
        """The voices of these rows (n,), again."""
        return Voices(*(part[rows] for part in self))

    def to(self, device: torch.device) -> "Voices":
        """The same voices on a device."""
        return Voices(*(part.to(device) for part in self))


def draw_voices(batch: int, rng: torch.Generator) -> Voices:
    """Random voices for a batch."""
    gain, blur = _equaliser(batch, rng), chance(rng, batch, 0.4)
    return Voices(gain, blur, torch.randint(len(_WARPS), (batch,), generator=rng))


def _equaliser(batch: int, rng: torch.Generator) -> Tensor:
    """Power gain (B, 257): smooth random colour, a tilt, and sometimes a telephone's band."""
    knots = 5.0 * torch.randn(batch, 1, 7, generator=rng)
    colour_db = functional.interpolate(knots, size=_BINS, mode="linear", align_corners=True)[:, 0]
    octaves = torch.log2((torch.arange(_BINS) * _BIN_HZ).clamp(min=80.0) / 1000.0)
    tilt_db = uniform(rng, batch, -3.0, 3.0)[:, None] * octaves
    gain: Tensor = 10 ** ((colour_db + tilt_db) / 10) * _band(batch, rng)
    return gain


def _band(batch: int, rng: torch.Generator) -> Tensor:
    """Power gain (B, 257) of a low-pass and a high-pass, each on some of the batch.

    Some low-passes slope, some cut all off, as resamplers and codecs do.
    """
    hz = torch.arange(_BINS) * _BIN_HZ
    top_hz = torch.exp(uniform(rng, batch, math.log(2800.0), math.log(7500.0)))[:, None]
    steepness = torch.exp(uniform(rng, batch, math.log(16.0), math.log(128.0)))[:, None]
    bottom_hz = uniform(rng, batch, 80.0, 350.0)[:, None]
    low_pass = 1 / (1 + (hz / top_hz) ** steepness)
    high_pass = 1 - 1 / (1 + (hz / bottom_hz) ** 8)
    some = chance(rng, batch, 0.3)[:, None], chance(rng, batch, 0.3)[:, None]
    leak = 10 ** uniform(rng, batch, -9.0, -5.0)[:, None]
    return (1 + some[0] * (low_pass - 1)) * (1 + some[1] * (high_pass - 1)) + leak
