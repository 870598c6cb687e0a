"""A tiny face for geometry tests: a curved patch with three slits (mouth, right eye, left eye)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from training.registration import Floats, Ints

SIZE = 33
SPACING = 0.005
# Row and columns of each slit; its inner vertices exist twice, upper first.
MOUTH, RIGHT_EYE, LEFT_EYE = (10, 10, 22), (22, 6, 14), (22, 18, 26)


class SlitFace(NamedTuple):
    vertices: Floats
    triangles: Ints
    landmarks: Ints
    below: dict[int, int]  # upper slit vertex -> its lower twin


def slit_face() -> SlitFace:
    """About 16 cm square, z forward, 1,089 vertices and 24 twins."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    x, y = (columns.ravel() - SIZE // 2) * SPACING, (rows.ravel() - SIZE // 2) * SPACING
    vertices = np.stack([x, y, -3.0 * (x**2 + y**2)], axis=1)
    below: dict[int, int] = {}
    for row, start, end in (MOUTH, RIGHT_EYE, LEFT_EYE):
        for column in range(start + 1, end):
            below[row * SIZE + column] = len(vertices) + len(below)
    vertices = np.concatenate([vertices, vertices[list(below)]])
    return SlitFace(vertices, _triangles(below), _landmarks(below), below)


def _triangles(below: dict[int, int]) -> Ints:
    triangles = []
    for row in range(SIZE - 1):
        for column in range(SIZE - 1):
            a = row * SIZE + column
            b, c, d = a + 1, a + SIZE + 1, a + SIZE
            # A cell under a slit hangs on the lower twins.
            c, d = below.get(c, c), below.get(d, d)
            triangles += [(a, b, c), (a, c, d)]
    return np.array(triangles)


def _landmarks(below: dict[int, int]) -> Ints:
    marks = np.zeros(51, dtype=np.int64)
    grid = np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    marks[0:10] = grid[27, 6:26:2]
    marks[10:19] = grid[16, 12:21]
    for first, (row, start, _) in ((19, RIGHT_EYE), (25, LEFT_EYE)):
        top = grid[row, [start, start + 3, start + 5, start + 8]]
        marks[first : first + 6] = [*top, below[int(top[2])], below[int(top[1])]]
    row, start, _ = MOUTH
    marks[31:38] = grid[row + 2, start : start + 13 : 2]
    marks[[31, 37]] = grid[row, [start, start + 12]]
    marks[38:43] = grid[row - 2, start + 10 : start : -2]
    top = grid[row, [start, start + 3, start + 6, start + 9, start + 12]]
    marks[43:48] = top
    marks[48:51] = [below[int(v)] for v in top[3:0:-1]]
    return marks
