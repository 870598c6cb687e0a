"""Surface looks, as plain figures for a Principled shader."""

from typing import NamedTuple


class MaterialSpec(NamedTuple):
    """A look: linear RGB, multiplied by the mesh's tint; `subsurface` is a weight of 0 to 1."""

    colour: tuple[float, float, float]
    roughness: float
    subsurface: float = 0.0
    coat: float = 0.0


MATERIALS: dict[str, MaterialSpec] = {
    "skin": MaterialSpec((0.66, 0.345, 0.225), 0.48, 0.12),
    "lips": MaterialSpec((0.66, 0.345, 0.225), 0.34, 0.12),
    "mouth": MaterialSpec((0.46, 0.12, 0.11), 0.45),
    "sclera": MaterialSpec((0.84, 0.82, 0.79), 0.2, 0.0, 0.5),
    "iris": MaterialSpec((0.045, 0.11, 0.125), 0.3, 0.0, 0.5),
    "pupil": MaterialSpec((0.003, 0.003, 0.004), 0.3, 0.0, 0.5),
    "teeth": MaterialSpec((0.82, 0.78, 0.70), 0.2),
    "gums": MaterialSpec((0.55, 0.17, 0.16), 0.35),
    "tongue": MaterialSpec((0.62, 0.22, 0.21), 0.4),
    "hair": MaterialSpec((0.075, 0.034, 0.018), 0.5),
    "brows": MaterialSpec((0.085, 0.04, 0.022), 0.6),
    "lashes": MaterialSpec((0.02, 0.012, 0.009), 0.5),
}
