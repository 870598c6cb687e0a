"""What the mouth aims at for each phone, and how strongly it insists.

Openings are millimetres between the inner lips on an adult face; the shares of jaw and lips,
rounding and spread follow the lip shapes of phonetics textbooks. The blend by dominance is Cohen
and Massaro's (1993).
"""

from typing import NamedTuple

from training.corpus.phones import SILENCE


class Target(NamedTuple):
    """Aims of one phone: openings in mm, shapes 0..1, and the weight of each aim in the blend."""

    opening_mm: float
    jaw_mm: float
    pucker: float = 0.0
    funnel: float = 0.0
    spread: float = 0.0
    opening_weight: float = 1.0
    jaw_weight: float = 1.0
    shape_weight: float = 0.6


def _consonant(
    opening_mm: float, jaw_mm: float, weight: float = 0.7, shape_weight: float = 0.12
) -> Target:
    """A consonant that leaves the lips' shape to its neighbours."""
    return Target(
        opening_mm,
        jaw_mm,
        opening_weight=weight,
        jaw_weight=weight * 0.8,
        shape_weight=shape_weight,
    )


_SHUT = Target(1.5, 2.0, opening_weight=0.35, jaw_weight=0.45, shape_weight=0.1)
_BITE = Target(2.0, 1.8, opening_weight=1.2, jaw_weight=0.7, shape_weight=0.25)
_ALVEOLAR = _consonant(3.6, 2.4)
_HISS = Target(3.2, 1.0, spread=0.18, opening_weight=1.0, jaw_weight=1.2, shape_weight=0.25)
_HUSH = Target(4.2, 1.4, 0.25, 0.32, opening_weight=1.0, jaw_weight=1.2, shape_weight=1.2)
_VELAR = _consonant(4.6, 3.6, 0.45)

TARGETS: dict[str, Target] = {
    SILENCE: Target(0.0, 0.0, opening_weight=1.6, jaw_weight=1.4, shape_weight=0.7),
    "AA": Target(11.0, 9.6),
    "AE": Target(10.0, 8.0, spread=0.25),
    "AH": Target(7.2, 5.8, shape_weight=0.35),
    "AO": Target(9.0, 8.4, 0.36, 0.14, shape_weight=0.9),
    "EH": Target(7.6, 5.6, spread=0.22),
    "ER": Target(4.8, 3.8, 0.25, 0.10, shape_weight=0.6),
    "IH": Target(5.6, 3.6, spread=0.22),
    "IY": Target(4.6, 2.0, spread=0.50, shape_weight=0.9),
    "OH": Target(7.0, 6.4, 0.58, 0.14, shape_weight=1.3),  # the beginning of OW
    "UH": Target(4.6, 4.0, 0.42, 0.08, shape_weight=0.8),
    "UW": Target(2.8, 2.8, 0.95, 0.12, shape_weight=2.0),
    "P": _SHUT,
    "B": _SHUT,
    "M": _SHUT,
    "F": _BITE,
    "V": _BITE,
    "TH": _consonant(3.8, 2.6, 0.9),
    "DH": _consonant(3.6, 2.6, 0.7),
    "T": _ALVEOLAR,
    "D": _ALVEOLAR,
    "N": _ALVEOLAR,
    "L": _consonant(5.0, 3.8, 0.6),
    "S": _HISS,
    "Z": _HISS,
    "SH": _HUSH,
    "ZH": _HUSH,
    "CH": _HUSH,
    "JH": _HUSH,
    "K": _VELAR,
    "G": _VELAR,
    "NG": _VELAR,
    "HH": _consonant(5.0, 4.2, 0.2, 0.05),
    "R": Target(3.8, 2.8, 0.36, 0.16, opening_weight=0.8, jaw_weight=0.6, shape_weight=0.8),
    "W": Target(1.8, 2.2, 1.0, 0.10, opening_weight=1.3, jaw_weight=0.7, shape_weight=2.2),
    "Y": Target(3.8, 2.0, spread=0.35, opening_weight=0.8, jaw_weight=0.7, shape_weight=0.7),
}

# Diphthongs aim at one shape, then at another; the turn lies a little past the middle.
GLIDES = {
    "AW": ("AA", "UH"),
    "AY": ("AA", "IH"),
    "EY": ("EH", "IY"),
    "OW": ("OH", "UW"),
    "OY": ("AO", "IH"),
}
GLIDE_TURN = 0.55
