"""Surface looks, as plain figures for a Principled shader."""

from typing import NamedTuple


class MaterialSpec(NamedTuple):
    """A look: linear RGB, multiplied by the mesh's tint; `subsurface` is a weight of 0 to 1."""

    colour: tuple[float, float, float]
    roughness: float
    subsurface: float = 0.0
    coat: float = 0.0


MATERIALS: dict[str, MaterialSpec] = {
    "skin": MaterialSpec((0.70, 0.39, 0.265), 0.48, 0.12),
    "lips": MaterialSpec((0.70, 0.39, 0.265), 0.32, 0.12),
    "mouth": MaterialSpec((0.28, 0.05, 0.05), 0.4),
    "sclera": MaterialSpec((0.86, 0.84, 0.82), 0.15, 0.0, 1.0),
    "iris": MaterialSpec((0.10, 0.20, 0.22), 0.25, 0.0, 1.0),
    "pupil": MaterialSpec((0.005, 0.005, 0.006), 0.15, 0.0, 1.0),
    "teeth": MaterialSpec((0.82, 0.78, 0.70), 0.2),
    "gums": MaterialSpec((0.55, 0.17, 0.16), 0.35),
    "tongue": MaterialSpec((0.55, 0.18, 0.17), 0.4),
    "hair": MaterialSpec((0.10, 0.05, 0.028), 0.55),
}
