"""Speaking styles: one by name, or a blend of two."""

from collections.abc import Iterable
from typing import Any

import bpy

from . import models
from .words import translated
from .wrapping import draw_wrapped


def _names(settings: Any, context: bpy.types.Context, _typed: str) -> Iterable[str]:
    return models.manners(context, settings.model.strip()).styles


class StyleSettings:
    """The fields; `model` is another field of those that have them."""

    style: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Style", search=_names, search_options={"SUGGESTION"},
        description="A speaking style of the model; empty: the model's first")
    style_other: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Second Style", search=_names, search_options={"SUGGESTION"},
        description="A second style, of which there is a share; empty: no blend")
    style_share: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Share", default=0.5, min=0.0, max=1.0, subtype="FACTOR",
        description="How much of the second style there is: 0 is all the first, 1 all the second")


def wish(settings: Any, styles: tuple[str, ...]) -> str | None:
    """What the settings ask of a model with these styles, such as 'Even:0.7,Crisp:0.3'; None for
    the model's first style."""
    one, other = settings.style.strip(), settings.style_other.strip()
    share = round(settings.style_share, 3)
    if not other or share == 0 or other == (one or styles[0]):
        return one or None
    return other if share == 1 else f"{one or styles[0]}:{1 - share:.3g},{other}:{share:.3g}"


def draw(layout: Any, context: bpy.types.Context, settings: Any) -> None:
    """The choice, and what the model does not know of it."""
    known = models.manners(context, settings.model.strip()).styles
    layout.prop(settings, "style", placeholder=known[0] if known else "")
    layout.prop(settings, "style_other", placeholder=translated("none"))
    if settings.style_other.strip():
        layout.prop(settings, "style_share", slider=True)
    for name in (settings.style.strip(), settings.style_other.strip()):
        # A blend typed as the command line spells it has its styles checked by the worker.
        if known and name and name not in known and ":" not in name:
            draw_wrapped(layout, translated(
                "The model has no style '{name}'. Choose one of: {known}", name=name,
                known=", ".join(known)), "ERROR")
