"""HuBERT, WavLM and wav2vec 2.0, base size, through the transformers library."""

import json
import re
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import (
    HubertConfig,
    HubertModel,
    PretrainedConfig,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

from . import published
from .interface import EncoderFileError, SpeechEncoder, spanned, standardised

# A config.json's "model_type" -> its classes.
KINDS: dict[str, tuple[Any, Any]] = {
    "hubert": (HubertConfig, HubertModel),
    "wavlm": (WavLMConfig, WavLMModel),
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
}
# What stays as it is while the rest is trained: GLDiTalker's text for HuBERT (as FaceDiffuser's
# code), FaceFormer's for wav2vec 2.0. ExpTalk says nothing of WavLM: it is treated as HuBERT.
_LOWER = ("feature_extractor", "feature_projection", "encoder.layers.0", "encoder.layers.1")
FROZEN = {"hubert": _LOWER, "wavlm": _LOWER, "wav2vec2": ("feature_extractor",)}
# As the library's own preparation of waveforms has it.
_NORMAL_EPS = 1e-7
# Only used while pretraining; some published files lack it.
_OPTIONAL = ("masked_spec_embed",)


class TransformersEncoder(SpeechEncoder):
    """Waveform (B, N) -> the last hidden layer (B, N // 320, 768)."""

    def __init__(self, network: nn.Module, normalise: bool) -> None:
        super().__init__()
        self.network, self.normalise = network, normalise

    @property
    def size(self) -> int:
        """768 for base models."""
        settings: Any = self.network.config
        return int(settings.hidden_size)

    def forward(self, waveform: Tensor) -> Tensor:
        heard = standardised(waveform, _NORMAL_EPS) if self.normalise else waveform
        hidden: Tensor = self.network(spanned(heard)).last_hidden_state
        return hidden

    def unfreeze(self) -> None:
        """Make trainable what the papers train: all but the parts in FROZEN."""
        self.requires_grad_(True)
        settings: Any = self.network.config
        for part in FROZEN[settings.model_type]:
            self.network.get_submodule(part).requires_grad_(False)


def load(weights: Path) -> TransformersEncoder:
    """Read weights and the config.json beside them; evaluation mode, frozen.

    Raises EncoderFileError.
    """
    network = build(_json(weights.with_name("config.json")))
    published.fill(network, tidied(published.read(weights)), weights, _OPTIONAL)
    plain_position_weights(network)
    preparation = weights.with_name("preprocessor_config.json")
    # The library normalises when it is told nothing.
    normalise = _json(preparation).get("do_normalize", True) if preparation.is_file() else True
    return TransformersEncoder(network, bool(normalise)).eval().requires_grad_(False)


def build(settings: dict[str, Any]) -> nn.Module:
    """An untrained network of a config.json's settings; raises EncoderFileError."""
    kind = settings.get("model_type")
    if kind not in KINDS:
        message = f"config.json is of a model {kind!r}."
        hint = f"It must be one of: {', '.join(KINDS)}."
        raise EncoderFileError("encoder_config", message, hint)
    config_class, model_class = KINDS[kind]
    # Older files hold keys that the library has moved elsewhere and warns of.
    kept = {key: value for key, value in settings.items() if key != "gradient_checkpointing"}
    config: PretrainedConfig = config_class.from_dict(kept)
    # Plain matrix products: the fused attention has no ONNX operator.
    network: nn.Module = model_class._from_config(config, attn_implementation="eager")
    return network


def tidied(weights: published.Weights) -> published.Weights:
    """Parameter names of any age, with or without a task's head, as the bare network has them."""
    return {_tidied(name): value for name, value in weights.items()}


def _tidied(name: str) -> str:
    bare = re.sub(r"^(hubert|wavlm|wav2vec2)\.", "", name)
    renamed = bare.replace(".weight_g", ".parametrizations.weight.original0")
    return renamed.replace(".weight_v", ".parametrizations.weight.original1")


def plain_position_weights(network: nn.Module) -> None:
    """Fold the position convolution's weight norm, which a graph would else compute each time."""
    convolution = network.get_submodule("encoder.pos_conv_embed.conv")
    parametrize.remove_parametrizations(convolution, "weight")


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read: {error}."
        raise EncoderFileError("encoder_config", message, "Download it again.") from error
    return content
