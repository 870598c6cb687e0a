"""RAD: both kinds of encodings denoised under speech and emotion (section 3.2, eqs. 8 to 11)."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ..attention import feed_forward, slopes
from ..config import ExptalkConfig, Recipe, Stage2Config
from ..denoiser import StepEncoder
from . import guided


class Sizes(NamedTuple):
    """Of a denoiser's inputs: latents, speech features, emotion features, styles."""

    latents: int
    speech: int
    emotion: int
    styles: int


class Guides(NamedTuple):
    """What frames attend to beside themselves: speech and emotion (B, T, D), tokens (B, 2, D)."""

    speech: Tensor
    emotion: Tensor
    tokens: Tensor


class Biases(NamedTuple):
    """On self-attention (heads, T, 2 + T) and on both cross-attentions (T, 2 + T)."""

    own: Tensor
    aligned: Tensor


class GuidedLayer(nn.Module):
    """Conditional self-attention, speech- and emotion-guided attention, feed-forward; pre-norm."""

    def __init__(self, config: Stage2Config, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.own, self.speech, self.emotion = (
            guided.Attention(width, config.heads) for _ in range(3)
        )
        self.forward_layers = feed_forward(width, config.feedforward, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, frames: Tensor, guides: Guides, biases: Biases) -> Tensor:
        normed = self.norms[0](frames)
        memory = torch.cat([guides.tokens, normed], dim=1)
        frames = frames + self.dropout(self.own(normed, memory, biases.own))
        speech = torch.cat([guides.tokens, guides.speech], dim=1)
        frames = frames + self.dropout(self.speech(self.norms[1](frames), speech, biases.aligned))
        emotion = torch.cat([guides.tokens, guides.emotion], dim=1)
        frames = frames + self.dropout(self.emotion(self.norms[2](frames), emotion, biases.aligned))
        return cast(Tensor, frames + self.dropout(self.forward_layers(self.norms[3](frames))))


class PlainLayer(nn.Module):
    """Table 3's standard transformer decoder layer: nothing is masked, nothing is a token."""

    def __init__(self, config: Stage2Config, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own, self.cross = (guided.Attention(width, config.heads) for _ in range(2))
        self.forward_layers = feed_forward(width, config.feedforward, config.dropout)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, frames: Tensor, memory: Tensor) -> Tensor:
        normed = self.norms[0](frames)
        frames = frames + self.dropout(self.own(normed, normed))
        frames = frames + self.dropout(self.cross(self.norms[1](frames), memory))
        return cast(Tensor, frames + self.dropout(self.forward_layers(self.norms[2](frames))))


class Rad(nn.Module):
    """f(z_n, speech, emotion, style, n) -> z_0 (eq. 8), latents (B, T, H * C) of unit variance.

    Features (B, T, F + K) are those of speech and then those of emotion, as one.
    """

    slopes: Tensor

    def __init__(self, config: Stage2Config, options: ExptalkConfig, sizes: Sizes) -> None:
        super().__init__()
        self.config, self.options, self.sizes = config, options, sizes
        width = config.hidden if config.noise_encoder else sizes.latents
        encoder = nn.Linear(sizes.latents, width) if config.noise_encoder else nn.Identity()
        self.noise_encoder = encoder
        self.style_encoder = nn.Linear(sizes.styles, width, bias=False)
        self.step_encoder = StepEncoder(width)
        self.speech_projection = nn.Linear(sizes.speech, width)
        self.emotion_projection = nn.Linear(sizes.emotion, width)
        layer = GuidedLayer if options.guided else PlainLayer
        self.layers = nn.ModuleList(layer(config, width) for _ in range(config.layers))
        # Without biases only this tells the plain decoder which frame is which.
        self.positions = None if options.guided else StepEncoder(width)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, sizes.latents)
        self.register_buffer("slopes", slopes(config.heads), persistent=False)

    def forward(self, noisy: Tensor, features: Tensor, style: Tensor, step: Tensor) -> Tensor:
        """``noisy`` (B, T, HC), ``features`` (B, T, F + K), ``style`` (B, S), ``step`` (B,)."""
        if not self.config.diffusion:
            noisy, step = noisy * 0, step * 0
        heard, felt = features[..., : self.sizes.speech], features[..., self.sizes.speech :]
        tokens = torch.stack([self.style_encoder(style), self.step_encoder(step)], dim=1)
        speech, emotion = self.speech_projection(heard), self.emotion_projection(felt)
        frames = self.noise_encoder(noisy)
        if self.positions is None:
            frames = self._guided(frames, Guides(speech, emotion, tokens))
        else:
            frames = self._plain(frames, speech + emotion, tokens.sum(dim=1, keepdim=True))
        return cast(Tensor, self.output(self.norm(frames)))

    def _guided(self, frames: Tensor, guides: Guides) -> Tensor:
        count, config = frames.shape[1], self.config
        own = guided.period_bias(count, self.slopes, config.period, config.reach)
        aligned = guided.window_bias(count, self.slopes, self.options.window)
        for layer in self.layers:
            frames = layer(frames, guides, Biases(own[None], aligned))
        return frames

    def _plain(self, frames: Tensor, heard: Tensor, condition: Tensor) -> Tensor:
        """Identity and step are added to the noise and to what is heard (section 4.5)."""
        assert self.positions is not None
        condition = condition + self.positions(torch.arange(frames.shape[1]))[None]
        frames, memory = frames + condition, heard + condition
        for layer in self.layers:
            frames = layer(frames, memory)
        return frames


def network(recipe: Recipe) -> dict[str, object]:
    """What ExpTalk's own settings make of a checkpoint's tensors."""
    return {"guided": recipe.exptalk.guided, "window": recipe.exptalk.window}
