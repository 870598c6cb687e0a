"""Stage 2's network: latents denoised under speech, style and step (paper Fig. 2, eq. 12)."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from .attention import AlignedAttention, SelfAttention, causal_bias, feed_forward, slopes
from .config import Stage2Config


class StepEncoder(nn.Module):
    """Denoising steps (B,) -> vectors (B, D): a sinusoid, then an MLP."""

    rates: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        rates = torch.exp(-math.log(10000.0) * torch.arange(width // 2) / (width // 2))
        self.register_buffer("rates", rates, persistent=False)
        layers = (nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.layers = nn.Sequential(*layers)

    def forward(self, step: Tensor) -> Tensor:
        angle = step[:, None].to(torch.float32) * self.rates
        return cast(Tensor, self.layers(torch.cat([angle.sin(), angle.cos()], dim=-1)))


class DecoderLayer(nn.Module):
    """Biased causal self-attention, aligned cross-attention, feed-forward; each pre-normed."""

    def __init__(self, width: int, config: Stage2Config) -> None:
        super().__init__()
        self.norm_self, self.norm_forward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attention = SelfAttention(width, config.heads)
        self.cross_attention = AlignedAttention(width)
        self.forward_layers = feed_forward(width, config.feedforward, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, frames: Tensor, speech: Tensor, bias: Tensor) -> Tensor:
        frames = frames + self.dropout(self.self_attention(self.norm_self(frames), bias))
        frames = frames + self.dropout(self.cross_attention(speech))
        return cast(Tensor, frames + self.dropout(self.forward_layers(self.norm_forward(frames))))


class Denoiser(nn.Module):
    """f(x_n, audio, style, n) -> x_0 (paper eq. 11), latents (B, T, H * C) of unit variance."""

    slopes: Tensor

    def __init__(self, config: Stage2Config, latents: int, features: int, styles: int) -> None:
        super().__init__()
        self.config = config
        width = config.hidden if config.noise_encoder else latents
        self.noise_encoder = nn.Linear(latents, width) if config.noise_encoder else nn.Identity()
        self.style_encoder = nn.Linear(styles, width, bias=False)
        self.step_encoder = StepEncoder(width)
        self.audio_projection = nn.Linear(features, width)
        self.layers = nn.ModuleList(DecoderLayer(width, config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, latents)
        self.register_buffer("slopes", slopes(config.heads), persistent=False)

    def forward(self, noisy: Tensor, features: Tensor, style: Tensor, step: Tensor) -> Tensor:
        """``noisy`` (B, T, HC), ``features`` (B, T, F), ``style`` (B, S), ``step`` (B,) int64."""
        if not self.config.diffusion:
            noisy, step = noisy * 0, step * 0
        condition = self.style_encoder(style) + self.step_encoder(step)
        frames = self.noise_encoder(noisy) + condition[:, None]
        speech = self.audio_projection(features)
        period, reach = self.config.period, self.config.reach
        bias = causal_bias(noisy.shape[1], self.slopes, period, reach)[None]
        for layer in self.layers:
            frames = layer(frames, speech, bias)
        return cast(Tensor, self.output(self.norm(frames)))
