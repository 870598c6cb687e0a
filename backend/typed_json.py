"""Plain JSON values to frozen dataclasses and back: a wrong field is named, never guessed.

The one reader behind the worker's messages and the pack's manifest.
"""

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class FieldError(ValueError):
    """A value that does not fit its field; the text names the field, the value and what was due."""


def parse(cls: type[T], value: object, where: str = "") -> T:
    """Build dataclass `cls` from a JSON object; raises FieldError on an unknown, missing or
    wrongly typed field."""
    if not isinstance(value, Mapping):
        raise FieldError(f"{where or 'the value'} must be an object, not {_shown(value)}")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = get_type_hints(cls)
    for name in value:
        if name not in fields:
            raise FieldError(f"unknown field '{_at(where, str(name))}'")
    for name, field in fields.items():
        if name not in value and not _has_default(field):
            raise FieldError(f"field '{_at(where, name)}' is missing")
    return cls(**{name: _convert(hints[name], value[name], _at(where, name)) for name in value})


def loads(text: str) -> Any:
    """`json.loads` that refuses NaN, infinities and repeated keys; raises ValueError."""
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    except RecursionError as problem:
        raise ValueError("the JSON is nested too deeply") from problem


def plain(value: Any) -> dict[str, Any]:
    """A dataclass as JSON-ready dictionaries, lists and scalars."""
    return dataclasses.asdict(value)


def _convert(hint: Any, value: Any, where: str) -> Any:
    """One JSON value as the annotated type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _convert(arguments[0], value, where)
    if origin is tuple:
        return _sequence(arguments, value, where)
    if origin is dict:
        return _mapping(arguments[1], value, where)
    if dataclasses.is_dataclass(hint):
        return parse(hint, value, where)  # type: ignore[arg-type]
    return _scalar(hint, value, where)


def _sequence(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise FieldError(f"field '{where}' must be a list, not {_shown(value)}")
    endless = arguments[-1] is Ellipsis
    if not endless and len(value) != len(arguments):
        raise FieldError(f"field '{where}' must have {len(arguments)} entries, not {len(value)}")
    hints = [arguments[0]] * len(value) if endless else arguments
    pairs = enumerate(zip(hints, value, strict=True))
    return tuple(_convert(kind, entry, f"{where}[{i}]") for i, (kind, entry) in pairs)


def _mapping(hint: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise FieldError(f"field '{where}' must be an object, not {_shown(value)}")
    return {str(key): _convert(hint, entry, _at(where, str(key))) for key, entry in value.items()}


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if _is_finite(value):
            return float(value)
    elif isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    due = {float: "a finite number", int: "a whole number", str: "text", bool: "true or false"}
    raise FieldError(f"field '{where}' must be {due[hint]}, not {_shown(value)}")


def _is_finite(value: float) -> bool:
    """Whether a number is finite as a float; a whole one of 400 digits is not."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _has_default(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is given twice")
    return table


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(value: object) -> str:
    """The value as short text, so that an error line stays a line."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
