"""Lines to speak, drawn from our own words and templates by a seeded generator."""

import re

import numpy as np

from training.corpus import words

_SLOTS = {
    "n": words.NOUNS,
    "v": words.VERBS,
    "a": words.ADJECTIVES,
    "d": words.ADVERBS,
    "p": words.PLACES,
    "w": words.NAMES,
    "x": words.EXCLAMATIONS,
    "i": words.NUMBERS,
}


def english_line(rng: np.random.Generator) -> str:
    """One to three English sentences, commas and full stops (that is, pauses) included."""
    count = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    return " ".join(_sentence(rng) for _ in range(count))


def foreign_line(language: str, rng: np.random.Generator) -> str:
    """Words of another language in phrases of three to six, as `words.FOREIGN` names it."""
    vocabulary = words.FOREIGN[language].split()
    phrases = []
    for _ in range(int(rng.integers(1, 4))):
        picked = rng.choice(vocabulary, size=int(rng.integers(3, 7)))
        phrases.append(" ".join(picked) + str(rng.choice(words.PHRASE_ENDS)))
    return " ".join(phrases)


def _sentence(rng: np.random.Generator) -> str:
    """A template with its slots filled."""
    template = str(rng.choice(words.TEMPLATES))
    filled = re.sub(r"\{(\w)\}", lambda slot: str(rng.choice(_SLOTS[slot[1]])), template)
    filled = filled.replace("_", " ")
    return filled[0].upper() + filled[1:]
