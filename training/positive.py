"""Numbers of a command line that mean something above 0 only."""

import math
from collections.abc import Callable

from backend.errors import RequestError


def number(option: str) -> Callable[[str], float]:
    """What argparse reads an option's finite number above 0 with; it raises RequestError."""

    def read(text: str) -> float:
        return _above_zero(option, text, float)

    return read


def count(option: str) -> Callable[[str], int]:
    """What argparse reads an option's whole number above 0 with; it raises RequestError."""

    def read(text: str) -> int:
        return int(_above_zero(option, text, int))

    return read


def _above_zero(option: str, text: str, kind: Callable[[str], float]) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        due = "number" if kind is float else "whole number"
        raise RequestError("bad_number", f"{option} is {text}.", f"Give a {due} above 0.")
    return value
