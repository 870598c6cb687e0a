"""Speakers' manners: made-up people who move their faces differently."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from backend.errors import SoliloquyError


class UnknownStyleError(SoliloquyError):
    """A recipe names a manner of speaking that does not exist."""


@dataclass(frozen=True)
class Style:
    """A manner: amplitudes relative to the average speaker, smoothing in seconds."""

    name: str
    jaw: float  # how far the jaw drops
    lips: float  # how much lips round, spread and part
    smoothing_s: float  # Gaussian: sluggish speakers blur their movements
    reach: float  # how far phones influence their neighbours
    asymmetry: float  # -1 right side only .. 1 left side only
    brow: float  # share of stressed syllables that the brows accent
    brow_amount: float
    blink_interval_s: float
    tension: float  # lip press and narrowed lids while speaking


STYLES = {
    style.name: style
    for style in (
        Style("Even", 1.00, 1.00, 0.020, 1.00, 0.04, 0.30, 0.30, 3.4, 0.15),
        Style("Crisp", 0.90, 1.30, 0.013, 0.75, -0.08, 0.35, 0.35, 2.8, 0.35),
        Style("Broad", 1.35, 1.15, 0.022, 1.05, 0.10, 0.60, 0.60, 3.0, 0.10),
        Style("Soft", 0.72, 0.75, 0.030, 1.30, -0.03, 0.15, 0.22, 4.4, 0.05),
        Style("Lively", 1.18, 1.05, 0.016, 0.90, 0.06, 0.75, 0.70, 2.4, 0.10),
        Style("Mumbling", 0.60, 0.60, 0.036, 1.45, 0.15, 0.10, 0.20, 4.8, 0.02),
        Style("Stern", 0.85, 0.90, 0.016, 0.85, -0.12, 0.20, 0.45, 4.0, 0.60),
        Style("Round", 1.05, 1.45, 0.024, 1.15, 0.02, 0.30, 0.30, 3.2, 0.20),
    )
}


def of_subject(subject: str) -> Style:
    """A person of that name: one of the manners, chosen and varied by the name alone."""
    rng = np.random.default_rng(zlib.crc32(subject.encode()))
    base = tuple(STYLES.values())[int(rng.integers(len(STYLES)))]
    jaw, lips, smoothing, reach, brow, blink = np.exp(rng.normal(0.0, 0.10, 6))
    return replace(
        base,
        name=subject,
        jaw=base.jaw * jaw,
        lips=base.lips * lips,
        smoothing_s=base.smoothing_s * smoothing,
        reach=base.reach * reach,
        asymmetry=float(np.clip(base.asymmetry + rng.normal(0.0, 0.05), -0.2, 0.2)),
        brow_amount=base.brow_amount * brow,
        blink_interval_s=base.blink_interval_s * blink,
    )


def find(name: str) -> Style:
    """The style of that name; raises UnknownStyleError."""
    if name not in STYLES:
        raise UnknownStyleError(
            "unknown_style", f"no speaking style {name!r}", f"choose of {', '.join(STYLES)}"
        )
    return STYLES[name]
