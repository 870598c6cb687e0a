"""Lines to speak, drawn from our own words and templates by a seeded generator."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import SoliloquyError

_PHRASE_ENDS = (",", ",", ".", ".", "?", "!", ";")


@cache
def _vocabulary() -> dict[str, Any]:
    """Templates, the words of each slot, and the words of each other language."""
    table = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    for kind in ("slots", "languages"):
        table[kind] = {key: words.split() for key, words in table[kind].items()}
    return table


class UnknownLanguageError(SoliloquyError):
    """A recipe names a language that there are no words of."""


def languages() -> tuple[str, ...]:
    """The other languages than English, as espeak-ng names their voices."""
    return tuple(_vocabulary()["languages"])


def templates() -> tuple[str, ...]:
    """The English sentences, with a slot for each word that is drawn."""
    return tuple(_vocabulary()["templates"])


def english_line(rng: np.random.Generator, among: Sequence[str] | None = None) -> str:
    """One to three English sentences, commas and full stops (that is, pauses) included.

    They are made of the templates given, or of all.
    """
    count = int(rng.choice([1, 2, 3], p=[0.5, 0.35, 0.15]))
    return " ".join(_sentence(rng, among or templates()) for _ in range(count))


def foreign_line(language: str, rng: np.random.Generator) -> str:
    """One to three phrases of four to seven words of another language; UnknownLanguageError."""
    if language not in languages():
        raise UnknownLanguageError(
            "unknown_language", f"no words of {language!r}", f"choose of {', '.join(languages())}"
        )
    words = _vocabulary()["languages"][language]
    phrases = []
    for _ in range(int(rng.integers(1, 4))):
        picked = rng.choice(words, size=int(rng.integers(4, 8)))
        phrases.append(" ".join(picked) + str(rng.choice(_PHRASE_ENDS)))
    return " ".join(phrases)


def _sentence(rng: np.random.Generator, among: Sequence[str]) -> str:
    """A template with its slots filled."""
    template, slots = str(rng.choice(among)), _vocabulary()["slots"]
    filled = re.sub(r"\{(\w)\}", lambda slot: str(rng.choice(slots[slot[1]])), template)
    filled = filled.replace("_", " ")
    return filled[0].upper() + filled[1:]
