"""Who says what and how: voice, rate, pauses and style of each clip, from its own seed."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from training.config import CorpusConfig
from training.corpus import emotions, espeak, festival, flite, sentences, voice_quality
from training.corpus.emotions import Span
from training.corpus.phones import SILENCE
from training.corpus.speech import SAMPLE_RATE_HZ, Speech, joined, with_pause, with_peak

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


# espeak-ng's pitch scale, near its middle.
_ESPEAK_A_SEMITONE = 5.0
_FEELINGS = tuple(name for name in emotions.EMOTIONS if name != emotions.NEUTRAL)
# Between two emotions in one line.
_TURN_PAUSE_S = (0.15, 0.5)


class Passage(NamedTuple):
    """Words said in one emotion, of intensity 0 to 3."""

    text: str
    emotion: str = emotions.NEUTRAL
    intensity: int = 0


@dataclass(frozen=True)
class Part:
    """One clip's instructions; `voice` as the synthesiser names it."""

    passages: tuple[Passage, ...]
    synthesiser: str
    voice: str
    language: str
    tempo: float  # of the synthesiser's normal speed
    pitch: float  # 0..1, low to high
    style: str
    split: str
    peak: float

    @property
    def text(self) -> str:
        """All that is said."""
        return " ".join(passage.text for passage in self.passages)


class Delivery(NamedTuple):
    """What was said, and which emotion rules when."""

    spoken: Speech
    spans: list[Span]


def cast(config: CorpusConfig, rng: np.random.Generator) -> Part:
    """Draw one clip's instructions."""
    uses_flite = rng.random() < config.flite_share
    synthesiser, voice, language, text = _speaker(config, uses_flite, rng)
    part = Part(
        (Passage(text),),
        synthesiser,
        voice,
        language,
        tempo=float(np.exp(rng.normal(0.0, 0.16))),
        pitch=float(rng.uniform()),
        style=str(rng.choice(config.styles)),
        split=_split(config, rng),
        peak=float(rng.uniform(0.25, 0.95)),
    )
    # Of chances of their own: a recipe without them makes the same clips as ever.
    (other,) = rng.spawn(1)
    return _unseen(_feeling(_at_festival(part, config, other), config, other), config, other)


def _at_festival(part: Part, config: CorpusConfig, rng: np.random.Generator) -> Part:
    """Give some English parts to a voice of festival."""
    if rng.random() >= config.festival_share:
        return part
    voice, text = str(rng.choice(festival.VOICES)), _english(config, rng)
    return replace(
        part, passages=(Passage(text),), synthesiser="festival", voice=voice, language="en"
    )


def _feeling(part: Part, config: CorpusConfig, rng: np.random.Generator) -> Part:
    """Give some parts an emotion, and some of those another one from the middle on."""
    if rng.random() >= config.emotion_share:
        return part
    names = rng.choice(_FEELINGS, 2, replace=False)
    first, second = (Passage("", str(name), int(rng.integers(1, 4))) for name in names)
    text = part.text
    if rng.random() >= config.shift_share:
        return replace(part, passages=(first._replace(text=text),))
    if rng.random() < 0.3:
        second = Passage("")
    foreign = part.language != "en"
    more = (
        sentences.foreign_line(part.voice.split("+")[0], rng) if foreign else _english(config, rng)
    )
    return replace(part, passages=(first._replace(text=text), second._replace(text=more)))


def _unseen(part: Part, config: CorpusConfig, rng: np.random.Generator) -> Part:
    """Keep the recipe's test voices and test sentences out of all other splits."""
    if part.voice in config.test_voices or part.voice.split("+")[-1] in config.test_voices:
        return replace(part, split="test-voices")
    if not config.test_templates or part.language != "en" or rng.random() >= config.test_share:
        return part
    held = sentences.templates()[-config.test_templates :]
    said = tuple(p._replace(text=sentences.english_line(rng, held)) for p in part.passages)
    return replace(part, passages=said, split="test-sentences")


def _speaker(
    config: CorpusConfig, uses_flite: bool, rng: np.random.Generator
) -> tuple[str, str, str, str]:
    """Synthesiser, voice, language and text."""
    if uses_flite:
        voice = str(rng.choice(list(_FLITE_ODDS), p=list(_FLITE_ODDS.values())))
        return "flite", voice, "en", _english(config, rng)
    variant = str(rng.choice(_VARIANTS))
    if rng.random() < config.foreign_share:
        language = str(rng.choice(config.languages))
        text = sentences.foreign_line(language, rng)
        return "espeak-ng", f"{language}+{variant}", language.split("/")[1], text
    accent = str(rng.choice(_ACCENTS))
    return "espeak-ng", f"gmw/{accent}+{variant}", "en", _english(config, rng)


def _english(config: CorpusConfig, rng: np.random.Generator) -> str:
    """A line of the templates that training may hear."""
    among = sentences.templates()
    return sentences.english_line(rng, among[: len(among) - config.test_templates])


def _split(config: CorpusConfig, rng: np.random.Generator) -> str:
    """Train, val or test by the recipe's shares."""
    draw = rng.random()
    if draw < config.validation_share:
        return "val"
    return "test" if draw < config.validation_share + config.test_share else "train"


def say(part: Part, rng: np.random.Generator) -> Delivery:
    """Synthesise a clip, each passage in its emotion's prosody, and give it pauses."""
    spoken_parts = [_voiced(part, passage) for passage in part.passages]
    pieces = [_with_inner_pauses(piece, rng) for piece in spoken_parts]
    (other,) = rng.spawn(1)
    pieces = [_coloured(*both, other) for both in zip(pieces, part.passages, strict=True)]
    spoken, turns = pieces[0], []
    for piece in pieces[1:]:
        spoken = with_pause(spoken, spoken.seconds, float(other.uniform(*_TURN_PAUSE_S)))
        turns.append(spoken.seconds)
        spoken = joined(spoken, piece)
    loudness = max(emotions.find(p.emotion).loudness for p in part.passages if p.text)
    whole, before_s = _with_outer_pauses(spoken, rng)
    edges = [0.0, *(turn + before_s for turn in turns), whole.seconds]
    spans = [
        Span(passage.emotion, passage.intensity, start_s, end_s)
        for passage, start_s, end_s in zip(part.passages, edges[:-1], edges[1:], strict=True)
    ]
    return Delivery(with_peak(whole, min(part.peak * loudness, 0.98)), spans)


def _voiced(part: Part, passage: Passage) -> Speech:
    """One passage spoken: tempo, pitch and range are the part's, moved by the emotion."""
    emotion, amount = emotions.find(passage.emotion), emotions.AMOUNTS[passage.intensity]
    tempo = part.tempo * emotion.tempo**amount
    semitones, spread = amount * emotion.pitch_semitones, emotion.pitch_range**amount
    if part.synthesiser == "flite":
        pitch = (0.75 + 0.6 * part.pitch) * 2 ** (semitones / 12)
        return flite.speak(passage.text, part.voice, 1.0 / tempo, pitch, spread)
    if part.synthesiser == "festival":
        own = semitones + 5.0 * (part.pitch - 0.5)
        return festival.speak(passage.text, part.voice, 1.0 / tempo, own, spread)
    pitch = np.clip(20 + 60 * part.pitch + _ESPEAK_A_SEMITONE * semitones, 0, 99)
    width = np.clip(50 * spread, 0, 99)
    return espeak.speak(
        passage.text, part.voice, round(160 * tempo), round(float(pitch)), round(float(width))
    )


def _coloured(spoken: Speech, passage: Passage, rng: np.random.Generator) -> Speech:
    """The voice's quality as the emotion has it; when each phone sounds stays the same."""
    emotion, amount = emotions.find(passage.emotion), emotions.AMOUNTS[passage.intensity]
    samples = voice_quality.coloured(spoken.samples, emotion.voice, amount, SAMPLE_RATE_HZ, rng)
    return Speech(samples, spoken.phones)


def _with_inner_pauses(spoken: Speech, rng: np.random.Generator) -> Speech:
    """Lengthen some pauses between words."""
    pauses = [p.middle_s for p in spoken.phones[1:-1] if p.name == SILENCE]
    for middle_s in reversed(pauses):
        if rng.random() < 0.3:
            spoken = with_pause(spoken, middle_s, float(rng.uniform(0.1, 1.0)))
    return spoken


def _with_outer_pauses(spoken: Speech, rng: np.random.Generator) -> tuple[Speech, float]:
    """Silence at both ends; also how long it is before the first word."""
    after_s, before_s = (float(min(rng.exponential(0.35), 1.5)) for _ in range(2))
    whole = with_pause(with_pause(spoken, spoken.seconds, after_s), 0.0, before_s)
    return whole, before_s
