# ruff: noqa: RUF001, RUF002  the phonetic alphabet is meant
"""The phone inventory (ARPAbet and silence) and how each synthesiser's symbols fold into it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

SILENCE = "SIL"
VOWELS = (
    "AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW",
)  # fmt: skip
CONSONANTS = (
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH",
    "T", "TH", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
PHONES = (SILENCE, *VOWELS, *CONSONANTS)
PHONE_INDEX = {name: index for index, name in enumerate(PHONES)}

VISEMES: dict[str, tuple[str, ...]] = {
    "silence": (SILENCE,),
    "bilabial": ("P", "B", "M"),
    "labiodental": ("F", "V"),
    "dental": ("TH", "DH"),
    "alveolar": ("T", "D", "N", "L", "S", "Z"),
    "postalveolar": ("SH", "ZH", "CH", "JH"),
    "velar": ("K", "G", "NG", "HH"),
    "rhotic": ("R", "ER"),
    "rounded": ("W", "UW", "UH"),
    "half_rounded": ("AO", "OW", "OY"),
    "open": ("AA", "AE", "AH", "AW", "AY"),
    "spread": ("IY", "IH", "EH", "EY", "Y"),
}
VISEME_OF = {phone: index for index, members in enumerate(VISEMES.values()) for phone in members}

BILABIALS = frozenset(VISEMES["bilabial"])
LABIODENTALS = frozenset(VISEMES["labiodental"])
UNVOICED = frozenset({SILENCE, "P", "T", "K", "F", "TH", "S", "SH", "CH", "HH"})

_FLITE_ODD = {"PAU": SILENCE, "SIL": SILENCE, "AX": "AH", "AXR": "ER", "IX": "IH", "UX": "UW",
              "DX": "D", "EL": "L", "EM": "M", "EN": "N", "NX": "N", "SSIL": SILENCE,
              "BRTH": SILENCE, "H#": SILENCE, "HV": "HH"}  # fmt: skip

# Nearest ARPAbet by what the lips do, for the languages that the corpus speaks.
_IPA = {
    "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY", "ɔʏ": "OY", "ɔø": "OY",
    "ai": "AY", "au": "AW", "ei": "EY", "oi": "OY", "eʊ": "OW", "ɑɪ": "AY", "ɛɪ": "EY",
    "iə": "IY AH", "ɪə": "IH AH", "eə": "EH AH", "ɛə": "EH AH", "ʊə": "UH AH", "əl": "AH L",
    "aɪə": "AY AH", "aɪɚ": "AY ER", "aʊə": "AW AH", "ɑːɹ": "AA R", "ɑɹ": "AA R", "ɔːɹ": "AO R",
    "ɔɹ": "AO R", "oːɹ": "AO R", "ʊɹ": "UH R", "ɪɹ": "IH R", "ɛɹ": "EH R", "iːə": "IY AH",
    "tʃ": "CH", "dʒ": "JH", "ts": "T S", "dz": "D Z", "pf": "P F", "tɕ": "CH", "dʑ": "JH",
    "tʂ": "CH", "dʐ": "JH",
    "a": "AA", "ɑ": "AA", "ɐ": "AH", "æ": "AE", "ɒ": "AO", "ʌ": "AH", "ə": "AH", "ɜ": "ER",
    "ɚ": "ER", "ɝ": "ER", "ɵ": "UH", "ɞ": "ER", "ɘ": "IH", "e": "EY", "ɛ": "EH", "i": "IY",
    "ɪ": "IH", "ɨ": "IH", "ᵻ": "IH", "y": "UW", "ʏ": "UH", "ø": "OW", "œ": "OW", "o": "OW",
    "ɔ": "AO", "u": "UW", "ʊ": "UH", "ɯ": "IH", "ʉ": "UW",
    "p": "P", "b": "B", "m": "M", "ɱ": "M", "f": "F", "v": "V", "ʋ": "V", "β": "V", "ɸ": "F",
    "t": "T", "d": "D", "ʈ": "T", "ɖ": "D", "n": "N", "ɳ": "N", "ɲ": "N", "s": "S", "z": "Z",
    "l": "L", "ɫ": "L", "ʎ": "L", "ɭ": "L", "ɬ": "L", "ɾ": "D", "θ": "TH", "ð": "DH", "ʃ": "SH",
    "ʒ": "ZH", "ɕ": "SH", "ʑ": "ZH", "ʂ": "SH", "ʐ": "ZH", "ç": "SH", "k": "K", "ɡ": "G", "g": "G",
    "c": "K", "ɟ": "G", "q": "K", "x": "K", "ɣ": "G", "χ": "K", "ŋ": "NG", "h": "HH", "ɦ": "HH",
    "ɹ": "R", "r": "R", "ʁ": "R", "ʀ": "R", "ɻ": "R", "w": "W", "ɥ": "W", "ʍ": "W", "j": "Y",
    "ʝ": "Y",
}  # fmt: skip


@dataclass(frozen=True)
class Phone:
    """One phone: ARPAbet name, start and end in seconds, stress (1 = stressed vowel)."""

    name: str
    start_s: float
    end_s: float
    stress: int = 0

    @property
    def middle_s(self) -> float:
        """Middle of the phone, seconds."""
        return 0.5 * (self.start_s + self.end_s)


def from_flite(name: str) -> str:
    """Fold a flite or festival segment name ("pau", "ax", "b") into the inventory."""
    upper = name.upper()
    return _FLITE_ODD.get(upper, upper if upper in PHONE_INDEX else SILENCE)


def from_ipa(symbol: str) -> tuple[str, ...]:
    """Fold one espeak IPA symbol ("eɪ", "əl", "tʃ", "uː") into phones, longest match first."""
    plain = _without_diacritics(symbol)
    found: list[str] = []
    while plain:
        size = next((n for n in (3, 2, 1) if plain[:n] in _IPA), 0)
        if size:
            found += _IPA[plain[:size]].split()
        plain = plain[size or 1 :]
    return tuple(found)


def _without_diacritics(symbol: str) -> str:
    """Drop marks and letters that change no lip shape (length, palatalisation, nasality)."""
    parts = unicodedata.normalize("NFD", symbol.replace("ç", "ɕ"))
    return "".join(c for c in parts if unicodedata.category(c) in ("Ll", "Lo") and c not in "ʲʰ")


def tidy(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    """Clip phones to [0, seconds], drop empty ones, fill gaps and merge runs of silence."""
    tidied: list[Phone] = []
    cursor_s = 0.0
    for phone in phones:
        start_s, end_s = max(phone.start_s, cursor_s), min(phone.end_s, seconds)
        if end_s - start_s < 1e-4:
            continue
        if start_s - cursor_s > 1e-4:
            _append(tidied, Phone(SILENCE, cursor_s, start_s))
        _append(tidied, Phone(phone.name, start_s, end_s, phone.stress))
        cursor_s = end_s
    if seconds - cursor_s > 1e-4:
        _append(tidied, Phone(SILENCE, cursor_s, seconds))
    return tidied


def _append(phones: list[Phone], phone: Phone) -> None:
    """Append, joining silence to silence."""
    if phones and phones[-1].name == phone.name == SILENCE:
        phones[-1] = Phone(SILENCE, phones[-1].start_s, phone.end_s)
    else:
        phones.append(phone)


def shifted(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    """All phones moved later by `seconds` (earlier when negative)."""
    return [Phone(p.name, p.start_s + seconds, p.end_s + seconds, p.stress) for p in phones]
