"""Who says what and how: voice, rate, pauses and style of each clip, from its own seed."""

from dataclasses import dataclass

import numpy as np

from training.config import CorpusConfig
from training.corpus import espeak, flite, sentences
from training.corpus.phones import SILENCE
from training.corpus.speech import Speech, with_pause, with_peak

_FLITE_ODDS = {"slt": 0.3, "rms": 0.3, "awb": 0.25, "kal16": 0.15}
_ACCENTS = ("en", "en-US", "en-GB-x-rp", "en-GB-scotland", "en-GB-x-gbclan", "en-029", "en-US-nyc")
# fmt: off
_VARIANTS = (
    "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "Alicia",
    "Andrea", "Andy", "Annie", "Diogo", "Gene", "Mario", "Michael", "adam", "anika", "belinda",
    "benjamin", "boris", "caleb", "ed", "edward", "grandma", "grandpa", "iven", "john", "linda",
    "marcelo", "max", "michel", "norbert", "pablo", "paul", "quincy", "rob", "sandro", "shelby",
    "steph", "travis", "victor", "zac",
)
# fmt: on


@dataclass(frozen=True)
class Part:
    """One clip's instructions; `voice` as the synthesiser names it."""

    text: str
    synthesiser: str
    voice: str
    language: str
    tempo: float  # of the synthesiser's normal speed
    pitch: float  # 0..1, low to high
    style: str
    split: str
    peak: float


def cast(config: CorpusConfig, rng: np.random.Generator) -> Part:
    """Draw one clip's instructions."""
    uses_flite = rng.random() < config.flite_share
    synthesiser, voice, language, text = _speaker(config, uses_flite, rng)
    return Part(
        text,
        synthesiser,
        voice,
        language,
        tempo=float(np.exp(rng.normal(0.0, 0.16))),
        pitch=float(rng.uniform()),
        style=str(rng.choice(config.styles)),
        split=_split(config, rng),
        peak=float(rng.uniform(0.25, 0.95)),
    )


def _speaker(
    config: CorpusConfig, uses_flite: bool, rng: np.random.Generator
) -> tuple[str, str, str, str]:
    """Synthesiser, voice, language and text."""
    if uses_flite:
        voice = str(rng.choice(list(_FLITE_ODDS), p=list(_FLITE_ODDS.values())))
        return "flite", voice, "en", sentences.english_line(rng)
    variant = str(rng.choice(_VARIANTS))
    if rng.random() < config.foreign_share:
        language = str(rng.choice(sentences.languages()))
        text = sentences.foreign_line(language, rng)
        return "espeak-ng", f"{language}+{variant}", language.split("/")[1], text
    accent = str(rng.choice(_ACCENTS))
    return "espeak-ng", f"gmw/{accent}+{variant}", "en", sentences.english_line(rng)


def _split(config: CorpusConfig, rng: np.random.Generator) -> str:
    """Train, val or test by the recipe's shares."""
    draw = rng.random()
    if draw < config.validation_share:
        return "val"
    return "test" if draw < config.validation_share + config.test_share else "train"


def say(part: Part, rng: np.random.Generator) -> Speech:
    """Synthesise a clip and give it pauses before, inside and after."""
    if part.synthesiser == "flite":
        spoken = flite.speak(part.text, part.voice, 1.0 / part.tempo, 0.75 + 0.6 * part.pitch)
    else:
        words_per_minute = round(160 * part.tempo)
        spoken = espeak.speak(
            part.text, part.voice, words_per_minute, round(20 + 60 * part.pitch), 50
        )
    return with_peak(_with_pauses(spoken, rng), part.peak)


def _with_pauses(spoken: Speech, rng: np.random.Generator) -> Speech:
    """Lengthen some inner pauses, then add silence at both ends."""
    pauses = [p.middle_s for p in spoken.phones[1:-1] if p.name == SILENCE]
    for middle_s in reversed(pauses):
        if rng.random() < 0.3:
            spoken = with_pause(spoken, middle_s, float(rng.uniform(0.1, 1.0)))
    after_s, before_s = (float(min(rng.exponential(0.35), 1.5)) for _ in range(2))
    return with_pause(with_pause(spoken, spoken.seconds, after_s), 0.0, before_s)
