"""A speaking style as the denoiser's weights: one style by name, or a blend of several."""

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .errors import RequestError

_PART = re.compile(r"\s*(?P<name>[^:,]*[^:,\s])\s*(:\s*(?P<share>[0-9]*\.?[0-9]+)\s*)?")


def weights(wish: str | None, styles: Sequence[str]) -> npt.NDArray[np.float32]:
    """Weights (S,) that sum to 1, for a style's name, for a blend such as "Even:0.7,Crisp:0.3"
    (in parts of any size, 1 where none is said) or for None, the first style; raises RequestError.
    """
    shares = {styles[0]: 1.0} if wish is None else _shares(wish, styles)
    total = sum(shares.values())
    if not (0 < total < math.inf):
        raise _malformed(wish, "its parts add up to nothing" if total == 0 else "it is too large")
    return np.array([shares.get(name, 0.0) / total for name in styles], dtype=np.float32)


def _shares(wish: str, styles: Sequence[str]) -> dict[str, float]:
    """Each named style's part; a name that itself holds a comma or a colon stands alone."""
    if wish in styles:
        return {wish: 1.0}
    shares: dict[str, float] = {}
    for part in wish.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise _malformed(wish, f"'{part}' is no style with its part")
        name = match["name"]
        if name not in styles:
            raise RequestError("style_unknown", f"The model has no style '{name}'.",
                               f"Choose one of: {', '.join(styles)}.")
        if name in shares:
            raise _malformed(wish, f"'{name}' is named twice")
        shares[name] = float(match["share"] or 1)
    return shares


def _malformed(wish: str | None, why: str) -> RequestError:
    return RequestError("bad_style", f"The style '{wish}' is not understood: {why}.",
                        "Write it as NAME, or as a blend NAME:0.7,NAME:0.3.")
