"""Spreading the cage over the head's form between the openings, which are pinned."""

import numpy as np

from .form import project
from .mesh import Array
from .subdivide import Indices

_STEPS = 70


def mirror(p: Array, partner: Indices) -> Array:
    """Points (N, 3) averaged with their mirror partners, exactly symmetric in x."""
    flipped = p[partner] * (-1, 1, 1)
    return np.asarray((p + flipped) / 2)


def spread(p: Array, edges: Indices, pinned: Indices, partner: Indices) -> Array:
    """Relax points (N, 3) joined by edges (E, 2) on the form; `pinned` stay on it where put."""
    p = mirror(project(p, 8), partner)
    held = p[pinned]
    degree = np.bincount(edges.ravel(), minlength=len(p))[:, None]
    for _ in range(_STEPS):
        total = np.zeros_like(p)
        np.add.at(total, edges[:, 0], p[edges[:, 1]])
        np.add.at(total, edges[:, 1], p[edges[:, 0]])
        p = 0.4 * p + 0.6 * total / np.maximum(degree, 1)
        p = project(p, 1)
        p[pinned] = held
        p = mirror(p, partner)
    return mirror(project(p, 6), partner)
