"""The encoders by name: what a recipe's [speech] may say."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from training import encoder
from training.config import Recipe, RecipeError

from . import published
from .interface import SpeechEncoder
from .published import Published
from .rate import SideBySide

COMPACT = "compact"


class Plugin(NamedTuple):
    """Weights that someone published, and how they are read from their file."""

    published: Published
    load: Callable[[Path], SpeechEncoder]


def _transformers(weights: Path) -> SpeechEncoder:
    # Imported when needed only: the library takes seconds, and most recipes never use it.
    from . import transformers_speech

    return transformers_speech.load(weights)


def _emotion2vec(weights: Path) -> SpeechEncoder:
    from . import emotion2vec

    return emotion2vec.load(weights)


_FILES, _WEIGHTS = ("config.json",), ("model.safetensors", "pytorch_model.bin")

PLUGINS: dict[str, Plugin] = {
    "hubert-base": Plugin(
        Published("facebook/hubert-base-ls960", _FILES, _WEIGHTS, "Apache-2.0"), _transformers
    ),
    "wavlm-base-plus": Plugin(
        Published("microsoft/wavlm-base-plus", _FILES, _WEIGHTS, "none stated on the hub"),
        _transformers,
    ),
    "wav2vec2-base": Plugin(
        Published("facebook/wav2vec2-base-960h", _FILES, _WEIGHTS, "see its page"), _transformers
    ),
    "emotion2vec-base": Plugin(
        Published(
            "emotion2vec/emotion2vec_base", (), ("emotion2vec_base.pt",),
            "its own, commercial use unclear",
        ),
        _emotion2vec,
    ),
}  # fmt: skip
NAMES = (COMPACT, *PLUGINS)


def load(recipe: Recipe, work: Path) -> SpeechEncoder:
    """The encoder that a recipe names, frozen, in evaluation mode.

    Raises RecipeError for an unknown name, EncoderFileError when its weights are not there.
    """
    weights = weights_file(recipe, work)
    if recipe.speech.encoder == COMPACT:
        heard: SpeechEncoder = encoder.load(weights)
    else:
        heard = PLUGINS[recipe.speech.encoder].load(weights)
    if recipe.speech.side_by_side:
        return SideBySide(heard, recipe.fps).eval()
    return heard


def weights_file(recipe: Recipe, work: Path) -> Path:
    """Where the recipe's encoder has its weights: ``compact`` in WORK/encoder.pt unless told."""
    section = recipe.speech
    if section.encoder == COMPACT:
        return Path(section.weights) if section.weights else work / "encoder.pt"
    if section.encoder not in PLUGINS:
        message = f"speech.encoder is {section.encoder!r}"
        raise RecipeError(message, f"it must be one of: {', '.join(NAMES)}")
    return published.find(section.encoder, PLUGINS[section.encoder].published, section.weights)
