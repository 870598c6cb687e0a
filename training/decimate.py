"""Mesh decimation by quadric edge collapse, keeping a subset of the vertices.

Each collapse moves one vertex onto a neighbour (Garland and Heckbert 1997, subset placement), so
a coarse vertex is a fine vertex and pooling is a selection, as SpiralNet++'s down-sampling is.
"""

import heapq
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Where quadrics are flat, shorter edges go first: a thousandth of the length's fourth power.
LENGTH_WEIGHT = 1e-3


class Coarse(NamedTuple):
    """A decimated mesh: which fine vertices were kept (sorted), and its triangles over them."""

    kept: Ints
    faces: Ints


def components(vertex_count: int, faces: Ints) -> Ints:
    """Label each vertex (V,) with its connected component; loose vertices are components."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    ones = np.ones(len(edges))
    graph = coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(vertex_count, vertex_count))
    labels: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def decimate(vertices: Floats, faces: Ints, factor: int) -> Coarse:
    """Keep ceil(n / factor) vertices of every component of a triangle mesh (V, 3), (F, 3)."""
    labels = components(len(vertices), faces)
    sizes = np.bincount(labels)
    collapse = _Collapse(vertices, faces)
    collapse.run(labels, sizes - np.array([math.ceil(n / factor) for n in sizes]))
    return collapse.result()


class _Collapse:
    """The state of one decimation: faces around each vertex, quadrics, and the queue of edges."""

    def __init__(self, vertices: Floats, faces: Ints) -> None:
        self.points = np.c_[vertices, np.ones(len(vertices))]
        self.faces = [tuple(map(int, f)) for f in faces]
        self.around: list[set[int]] = [set() for _ in vertices]
        for number, face in enumerate(self.faces):
            for corner in face:
                self.around[corner].add(number)
        self.quadrics = _quadrics(vertices, faces)
        self.alive = np.ones(len(vertices), dtype=bool)
        self.stamp = [0] * len(vertices)
        self.queue: list[tuple[float, int, int, int, int]] = []

    def run(self, labels: Ints, to_remove: Ints) -> None:
        """Collapse the cheapest edges until ``to_remove`` per component is used up."""
        left = to_remove.tolist()
        for vertex in range(len(self.around)):
            self._push(vertex)
        while self.queue and any(left):
            _, gone, onto, stamp_gone, stamp_onto = heapq.heappop(self.queue)
            fresh = (stamp_gone, stamp_onto) == (self.stamp[gone], self.stamp[onto])
            if fresh and left[labels[gone]] and self._is_safe(gone, onto):
                self._collapse(gone, onto)
                left[labels[gone]] -= 1

    def result(self) -> Coarse:
        kept = np.flatnonzero(self.alive)
        number = np.cumsum(self.alive) - 1
        living = sorted({face for ring in self.around for face in ring})
        faces = np.array([self.faces[face] for face in living], dtype=np.int64).reshape(-1, 3)
        return Coarse(kept, number[faces])

    def _neighbours(self, vertex: int) -> set[int]:
        return {corner for face in self.around[vertex] for corner in self.faces[face]} - {vertex}

    def _push(self, vertex: int) -> None:
        for other in self._neighbours(vertex):
            for gone, onto in ((vertex, other), (other, vertex)):
                entry = (self._cost(gone, onto), gone, onto, self.stamp[gone], self.stamp[onto])
                heapq.heappush(self.queue, entry)

    def _cost(self, gone: int, onto: int) -> float:
        target = self.points[onto]
        step = target - self.points[gone]
        quadric = self.quadrics[gone] + self.quadrics[onto]
        return float(target @ quadric @ target + LENGTH_WEIGHT * (step @ step) ** 2)

    def _is_safe(self, gone: int, onto: int) -> bool:
        """The link condition: a collapse must not glue two sheets together."""
        shared = self.around[gone] & self.around[onto]
        common = self._neighbours(gone) & self._neighbours(onto)
        remaining = len(self.around[onto]) + len(self.around[gone]) - 2 * len(shared)
        return 0 < len(shared) == len(common) and remaining > 0

    def _collapse(self, gone: int, onto: int) -> None:
        for face in self.around[gone] & self.around[onto]:
            for corner in self.faces[face]:
                self.around[corner].discard(face)
        for face in self.around[gone]:
            self.faces[face] = tuple(onto if c == gone else c for c in self.faces[face])
        self.around[onto] |= self.around[gone]
        self.around[gone] = set()
        self.quadrics[onto] = self.quadrics[onto] + self.quadrics[gone]
        self.alive[gone] = False
        self.stamp[gone] += 1
        self.stamp[onto] += 1
        self._push(onto)


def _quadrics(vertices: Floats, faces: Ints) -> Floats:
    """Sum of area-weighted plane quadrics at each vertex (V, 4, 4), boundaries held by walls."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / np.maximum(area, 1e-30)
    total = np.zeros((len(vertices), 4, 4))
    _add_planes(total, faces, normal, corners[:, 0], area[:, 0])
    edges, owner = _boundary(faces)
    along = vertices[edges[:, 1]] - vertices[edges[:, 0]]
    wall = np.cross(along, normal[owner])
    length = np.linalg.norm(wall, axis=1, keepdims=True)
    wall = wall / np.maximum(length, 1e-30)
    _add_planes(total, edges, wall, vertices[edges[:, 0]], length[:, 0] ** 2)
    return total


def _add_planes(total: Floats, users: Ints, normal: Floats, point: Floats, weight: Floats) -> None:
    plane = np.c_[normal, -np.einsum("ij,ij->i", normal, point)]
    quadric = np.einsum("i,ij,ik->ijk", weight, plane, plane)
    for column in users.T:
        np.add.at(total, column, quadric)


def _boundary(faces: Ints) -> tuple[Ints, Ints]:
    """Edges (E, 2) that belong to one face, and that face."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    owner = np.tile(np.arange(len(faces)), 3)
    pairs = np.sort(edges, axis=1)
    _, first, count = np.unique(pairs, axis=0, return_index=True, return_counts=True)
    alone = first[count == 1]
    return edges[alone], owner[alone]
