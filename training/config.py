"""Recipes: TOML files read into frozen dataclasses; an unknown key is an error.

A recipe may name a ``base`` recipe and then holds only its difference. An overlay of
recipes/overlays/ has no base and goes onto any recipe: "gldi-flame+mlp-encoder" is an ablation.
The resolved recipe travels inside every checkpoint and pack.
"""

import argparse
import dataclasses
import difflib
import math
import tomllib
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.errors import SoliloquyError

RECIPES = Path(__file__).parent / "recipes"
OVERLAYS = RECIPES / "overlays"
METHODS = ("gldi", "exptalk")
# Keys that mean something above 0 only, whatever their section.
ABOVE_ZERO = frozenset((
    "fps", "sample_rate_hz", "steps", "batch", "accumulate", "crop_frames", "learning_rate",
    "threads", "log_every", "mel_bands", "features", "spiral_length", "dilation", "pooling",
    "components", "channels", "codes", "hidden", "heads", "feedforward", "decoder_width",
    "diffusion_steps", "period", "temperature", "sampler_steps", "clips_a_batch",
))  # fmt: skip


class RecipeError(SoliloquyError):
    """A recipe file is missing, unreadable, or holds a key or value that means nothing."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("recipe", message, hint)


@dataclass(frozen=True)
class CorpusConfig:
    """The studio corpus: how much speech, from which voices, in which manner."""

    hours: float = 1.2
    seed: int = 0
    flite_share: float = 0.55  # of the seconds; its label times are the better ones
    foreign_share: float = 0.15  # of espeak-ng's clips, in other languages than English
    validation_share: float = 0.04
    test_share: float = 0.04
    styles: tuple[str, ...] = ("Even", "Crisp", "Broad", "Soft")
    clips_a_batch: int = 32  # made by one process; synthesisers' random state runs on inside it
    languages: tuple[str, ...] = (  # the foreign ones, as espeak-ng names its voices
        "gmw/de", "roa/es", "roa/fr", "roa/it", "zle/ru", "roa/pt-BR", "zlw/pl", "gmw/nl",
    )  # fmt: skip
    festival_share: float = 0.0  # of all clips
    emotion_share: float = 0.0  # of all clips; the others are neutral
    shift_share: float = 0.0  # of the emotional clips: another emotion from the middle on
    gaze: float = 0.0  # how far the eyes wander, 1 is as in conversation
    test_voices: tuple[str, ...] = ()  # voices or espeak-ng variants heard in "test-voices" only
    test_templates: int = 0  # this many last sentence templates are for "test-sentences" only
    acted_recordings: float = 0.0  # share of the recordings that join once more, in an emotion


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with warm-up and cosine decay; ``steps`` is overruled by ``--minutes``."""

    steps: int = 2000
    batch: int = 8  # of each process
    accumulate: int = 1  # batches a step
    crop_frames: int = 64
    learning_rate: float = 1e-3
    warmup_steps: int = 50
    weight_decay: float = 0.01
    grad_clip: float = 1.0
    ema_decay: float = 0.995
    seed: int = 0
    threads: int = 1
    bfloat16: bool = False  # several times faster on GPUs and CPUs with AMX; slower on others
    log_every: int = 20
    checkpoint_every_s: float = 60.0


@dataclass(frozen=True)
class SpeechConfig:
    """Which speech encoder the later stages hear with: a name of training/encoders/table.py."""

    encoder: str = "compact"
    weights: str = ""  # the folder of published weights ("": the hub's cache); compact: its file
    side_by_side: bool = False  # a frame's features stand side by side, as in FaceDiffuser
    train: bool = False  # along with stage 2, the parts that GLDiTalker trains; not for "compact"


@dataclass(frozen=True)
class EncoderConfig:
    """The compact speech encoder and its training."""

    mel_bands: int = 80
    channels: int = 192
    dilations: tuple[int, ...] = (1, 2, 1, 3, 2, 4, 1)  # at 50 Hz: +-0.28 s heard
    past_dilations: tuple[int, ...] = ()  # of blocks before those, which only look back
    features: int = 64  # of the last hidden layer
    posteriors: bool = False  # later stages see the heads' probabilities, else the hidden layer
    level_past_s: float = 2.0  # the level that gain is judged by looks this far back...
    level_ahead_s: float = 0.08  # ... and ahead: with the convolutions less than 0.4 s
    dropout: float = 0.1
    recorded_share: float = 0.0  # of the crops, from real recordings where the corpus has some
    closure_bias: float = 0.0  # added, once trained, to the log odds of p b m: a missed one shows
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(
            steps=3000, batch=24, crop_frames=130, learning_rate=2e-3, weight_decay=0.02
        )
    )


@dataclass(frozen=True)
class EmotionConfig:
    """The compact emotion encoder and its training."""

    mel_bands: int = 40
    channels: int = 160
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4)  # at 50 Hz: +-0.28 s heard
    memory_s: float = 2.0  # how far to each side the voice's mean and spread are taken
    dropout: float = 0.15
    recorded_share: float = 0.0  # of the crops, from real recordings, most of them as neutral
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(
            steps=3000, batch=20, crop_frames=250, learning_rate=2e-3, weight_decay=0.02
        )
    )


@dataclass(frozen=True)
class Stage1Config:
    """The spatio-temporal VQ-VAE (paper section 3.2); ``encoder`` is the Table 3 ablation."""

    encoder: str = "spiral"  # "spiral" or "mlp"
    spiral_channels: tuple[int, ...] = (32, 32, 32, 64)
    levels: int = 0  # how many of those, from the finest (Table 4); 0: all
    fusion: str = "coarsest"  # the graph that the fusion layer sees, or "all" graphs of the pyramid
    spiral_length: int = 9
    dilation: int = 2
    pooling: int = 4
    components: int = 8  # H
    channels: int = 128  # C
    codes: int = 256  # N
    beta: float = 0.25
    quantise_from: float = 0.1  # share of the training after which the codes come in
    hidden: int = 1024
    layers: int = 6
    heads: int = 8
    feedforward: int = 1536
    reach: int = 30  # frames that the temporal attention sees to each side
    decoder_width: int = 256
    lip_weight: float = 0.0  # extra L1 weight on lip vertices; the paper has none
    velocity_weight: float = 0.0  # L1 on frame differences; the paper has none
    aperture_weight: float = 0.0  # L1 on the lip pairs' opening; the paper has none
    upper_weight: float = 0.0  # squared error of eyes and brows in units of their variance
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True)
class Stage2Config:
    """The latent diffusion transformer (section 3.3); ``noise_encoder`` is Table 5's switch."""

    space: str = "latents"  # what is predicted; "vertices": a baseline without stage 1
    noise_encoder: bool = True
    diffusion: bool = True  # False: deterministic regression
    diffusion_steps: int = 1000
    hidden: int = 1024  # D
    layers: int = 6
    heads: int = 4
    feedforward: int = 2048
    dropout: float = 0.1
    period: int = 30
    reach: int = 0  # frames of the past that self-attention sees; 0: all, as in the paper
    velocity_weight: float = 1.0  # lambda
    augmented_copies: int = 1  # extra noisy renderings of each clip's features
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True)
class ExptalkConfig:
    """What ExpTalk has beyond the two stages, whose sections it shares."""

    emotion_encoder: str = "compact-emotion"  # a name of training/encoders/table.py
    emotion_weights: str = ""  # as ``SpeechConfig.weights``
    disentangle: bool = True  # False: one branch, one codebook (its Table 3)
    emotion_reach: int = 0  # z_e's encoder sees the mean of so many frames to each side; paper: 0
    decoder: str = "spiral"  # of faces; "mlp", as GLDiTalker's, is quicker and sooner exact
    guided: bool = True  # False: a plain transformer decoder (Table 3)
    codebook_weight: float = 1.0  # lambda_qua of its eq. 7
    contrast_weight: float = 1.0  # lambda_con
    temperature: float = 0.07  # tau of eq. 6
    positive_below: bool = False  # the positive in eq. 6's denominator too, as InfoNCE has it
    unlike_is_enough: bool = False  # z_m opposite to the voice is no better than z_m unlike it
    traces_weight: float = 0.0  # what is linearly left of emotion in z_m; the paper has none
    window: int = 3  # k of eq. 11, frames
    told_share: float = 0.0  # of stage 2's crops: emotions as a lane tells them; the paper has none
    joined_share: float = 0.5  # of the lines: goes on as another one of another emotion
    join_s: float = 0.6  # how long the face takes from one to the other: the silence between them


@dataclass(frozen=True)
class ExportConfig:
    """What the pack's manifest says and how its graphs are stored."""

    sampler: str = "ddim"
    sampler_steps: int = 12
    half_weights: bool = False  # round large weights to float16 and store them so
    licence: str = "GPL-3.0-or-later"
    credits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """One model from corpus to pack."""

    name: str
    method: str = "gldi"  # or "exptalk"
    topology: str = "flame"
    fps: int = 30
    sample_rate_hz: int = 16000
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    speech: SpeechConfig = field(default_factory=SpeechConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    emotion: EmotionConfig = field(default_factory=EmotionConfig)
    stage1: Stage1Config = field(default_factory=Stage1Config)
    stage2: Stage2Config = field(default_factory=Stage2Config)
    exptalk: ExptalkConfig = field(default_factory=ExptalkConfig)
    export: ExportConfig = field(default_factory=ExportConfig)


def load(name_or_path: str | Path) -> Recipe:
    """Read a shipped recipe by name, or a TOML file by path; raises RecipeError.

    Overlays follow it, each after a +, and give the recipe its name: "tiny+no-diffusion".
    """
    if Path(name_or_path).is_file():
        return from_dict(_read(Path(name_or_path)))
    first, *overlays = str(name_or_path).split("+")
    table = _read(_find(first, RECIPES))
    for overlay in overlays:
        table = _overlay(table, _read(_find(overlay, OVERLAYS)))
        table["name"] = f"{table['name']}+{Path(overlay).stem}"
    return from_dict(table)


def from_dict(table: Mapping[str, Any]) -> Recipe:
    """Build a recipe from nested mappings (a TOML file or a checkpoint); raises RecipeError."""
    if "name" not in table:
        raise RecipeError("the recipe has no name", 'add a line such as name = "my-model"')
    recipe = _build(Recipe, table, "")
    assert isinstance(recipe, Recipe)
    if recipe.method not in METHODS:
        raise RecipeError(f"method is {recipe.method!r}", f"it must be one of {', '.join(METHODS)}")
    _check_values(recipe, "")
    return recipe


def _check_values(section: Any, where: str) -> None:
    """Refuse numbers that would end in a traceback or never end; raises RecipeError."""
    values = {field.name: getattr(section, field.name) for field in dataclasses.fields(section)}
    for name, value in values.items():
        if dataclasses.is_dataclass(value):
            _check_values(value, f"{where}{name}.")
        elif name in ABOVE_ZERO and not 0 < value < math.inf:
            raise RecipeError(f"{where}{name} is {value}", "it must be above 0")
    if "heads" in values and values["hidden"] % values["heads"]:
        message = f"{where}hidden is {values['hidden']}, {where}heads is {values['heads']}"
        raise RecipeError(message, "the first must be a multiple of the second")


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain nested dictionaries, as stored in checkpoints and packs."""
    return dataclasses.asdict(recipe)


def add_recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--recipe`` and ``--work``, which every training command takes."""
    parser.add_argument("--recipe", default="gldi-flame", help="a recipe's name or TOML file, "
                        "and +OVERLAY for each overlay that goes onto it")  # fmt: skip
    parser.add_argument("--work", type=Path, help="working folder (default build/train/RECIPE)")


def work_folder(args: argparse.Namespace, recipe: Recipe) -> Path:
    """The folder that holds a recipe's rig, corpus and checkpoints."""
    return Path(args.work) if args.work is not None else Path("build/train") / recipe.name


def _find(name_or_path: str | Path, folder: Path) -> Path:
    shipped = folder / f"{name_or_path}.toml"
    path = shipped if shipped.is_file() else Path(name_or_path)
    if not path.is_file():
        kind = "overlay" if folder == OVERLAYS else "recipe"
        names = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise RecipeError(f"no {kind} {name_or_path}", f"give a TOML file or one of: {names}")
    return path


def _read(path: Path, above: Sequence[Path] = ()) -> dict[str, Any]:
    """A TOML file over its base, if it names one; ``above`` are the files that led here."""
    if path.resolve() in above:
        raise RecipeError(f"{path.name} is its own base", "give it another base, or none")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} is not TOML: {error}", "correct that line") from error
    base = table.pop("base", None)
    if base is None:
        return table
    return _overlay(_read(_base(path, base), (*above, path.resolve())), table)


def _base(path: Path, base: object) -> Path:
    """The file beside a recipe that is its base, else the shipped one; raises RecipeError."""
    if not isinstance(base, str):
        raise RecipeError(f"base is {base!r} in {path.name}", "it must be a recipe's name or file")
    beside = path.parent / base
    return beside if beside.is_file() else _find(base.removesuffix(".toml"), RECIPES)


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        nested = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _overlay(below, value) if nested and below is not None else value
    return merged


def _build(cls: type[Any], table: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in hints:
            raise RecipeError(f"unknown key {where + key!r} in the recipe", _nearest(key, hints))
    return cls(**{key: _convert(hints[key], value, where + key) for key, value in table.items()})


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    return f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return _build(hint, value, where + ".")
    if typing.get_origin(hint) is tuple and isinstance(value, list | tuple):
        item = typing.get_args(hint)[0]
        return tuple(_convert(item, each, where) for each in value)
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise RecipeError(f"{where} is {value!r}", f"it must be {getattr(hint, '__name__', hint)}")
