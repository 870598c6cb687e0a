"""Tubes of quads through cross-sections: brows, lashes, teeth, tongue."""

from itertools import pairwise

import numpy as np

from .mesh import Array, Face


def signed_volume(vertices: Array, faces: list[Face]) -> float:
    """Volume enclosed by faces, positive when they turn counter-clockwise seen from outside."""
    total = 0.0
    for face in faces:
        for b, c in pairwise(face[1:]):
            total += float(np.dot(vertices[face[0]], np.cross(vertices[b], vertices[c])))
    return total / 6


def _cap(first: int, count: int, reverse: bool) -> list[Face]:
    """A strip of quads over a section with an even number of points."""
    quads: list[Face] = [
        (first + n, first + n + 1, first + count - 2 - n, first + count - 1 - n)
        for n in range(count // 2 - 1)
    ]
    return [quad[::-1] for quad in quads] if reverse else quads


def loft(sections: Array) -> tuple[Array, list[Face]]:
    """A closed tube through sections (S, K, 3), K even: vertices (S*K, 3) and outward quads."""
    rows, count, _ = sections.shape
    faces: list[Face] = _cap(0, count, True) + _cap((rows - 1) * count, count, False)
    for row in range(rows - 1):
        for n in range(count):
            a, b = row * count + n, row * count + (n + 1) % count
            faces.append((a, b, b + count, a + count))
    vertices = sections.reshape(-1, 3)
    if signed_volume(vertices, faces) < 0:
        faces = [face[::-1] for face in faces]
    return vertices, faces


def mirrored(vertices: Array, faces: list[Face]) -> tuple[Array, list[Face]]:
    """The same island on the other side of x = 0."""
    return vertices * (-1, 1, 1), [face[::-1] for face in faces]
