"""The encoders by name: what a recipe's [speech] and [exptalk] may say."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from training import emotion_encoder, encoder
from training.config import Recipe, RecipeError

from . import published
from .interface import SpeechEncoder
from .published import Published
from .rate import SideBySide


class Own(NamedTuple):
    """An encoder that this project trains: its file in the working folder, and how it is read."""

    file: str
    load: Callable[[Path], SpeechEncoder]


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
OWN: dict[str, Own] = {
    "compact": Own("encoder.pt", encoder.load),
    "compact-emotion": Own("emotion_encoder.pt", emotion_encoder.load),
}
NAMES = (*OWN, *PLUGINS)


def load(recipe: Recipe, work: Path) -> SpeechEncoder:
    """The speech encoder that a recipe names, frozen, in evaluation mode.

    Raises RecipeError for an unknown name, EncoderFileError when its weights are not there.
    """
    heard = _load(recipe.speech.encoder, weights_file(recipe, work))
    if recipe.speech.side_by_side:
        return SideBySide(heard, recipe.fps).eval()
    return heard


def load_emotion(recipe: Recipe, work: Path) -> SpeechEncoder:
    """The emotion encoder of an ExpTalk recipe; raises as ``load`` does."""
    return _load(recipe.exptalk.emotion_encoder, emotion_weights_file(recipe, work))


def ears(recipe: Recipe, work: Path) -> tuple[SpeechEncoder, ...]:
    """All that a recipe's method hears with: speech, and for ExpTalk emotion; raises as above."""
    if recipe.method != "exptalk":
        return (load(recipe, work),)
    return load(recipe, work), load_emotion(recipe, work)


def ears_files(recipe: Recipe, work: Path) -> tuple[Path, ...]:
    """The weights' files of ``ears``; raises as ``load`` does."""
    if recipe.method != "exptalk":
        return (weights_file(recipe, work),)
    return weights_file(recipe, work), emotion_weights_file(recipe, work)


def weights_file(recipe: Recipe, work: Path) -> Path:
    """Where the speech encoder has its weights: ``compact`` in WORK/encoder.pt unless told."""
    return _weights_file("speech.encoder", recipe.speech.encoder, recipe.speech.weights, work)


def emotion_weights_file(recipe: Recipe, work: Path) -> Path:
    """Where the emotion encoder has its weights."""
    section = recipe.exptalk
    key = "exptalk.emotion_encoder"
    return _weights_file(key, section.emotion_encoder, section.emotion_weights, work)


def _weights_file(key: str, name: str, told: str, work: Path) -> Path:
    if name in OWN:
        return Path(told) if told else work / OWN[name].file
    if name not in PLUGINS:
        raise RecipeError(f"{key} is {name!r}", f"it must be one of: {', '.join(NAMES)}")
    return published.find(name, PLUGINS[name].published, told)


def _load(name: str, weights: Path) -> SpeechEncoder:
    return (OWN[name] if name in OWN else PLUGINS[name]).load(weights)
