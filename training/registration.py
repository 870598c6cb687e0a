"""Non-rigid registration of one face mesh onto another, with lips and lids kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Similarity(NamedTuple):
    """x -> scale * rotation @ x + translation."""

    scale: float
    rotation: Floats
    translation: Floats

    def apply(self, points: Floats) -> Floats:
        """Move points (N, 3)."""
        return self.scale * points @ self.rotation.T + self.translation

    def undo(self, points: Floats) -> Floats:
        """Move points (N, 3) back."""
        back: Floats = (points - self.translation) @ self.rotation / self.scale
        return back


def fit_similarity(source: Floats, target: Floats) -> Similarity:
    """Least-squares similarity taking source (N, 3) onto target (N, 3) (Umeyama 1991)."""
    a, b = source - source.mean(0), target - target.mean(0)
    left, singular, right = np.linalg.svd(b.T @ a)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * flip) @ right
    scale = float((singular * flip).sum() / (a**2).sum())
    return Similarity(scale, rotation, target.mean(0) - scale * rotation @ source.mean(0))


@dataclass(frozen=True)
class Surface:
    """A triangle mesh: vertices (V, 3), triangles (F, 3), region label (V,), landmarks (51, V).

    Labels: 0 is free; 2k - 1 and 2k are the two sides of one opening (upper and lower lip, ...),
    which never correspond to each other. The landmark matrix maps vertices to 51 points.
    """

    vertices: Floats
    triangles: Ints
    labels: Ints
    landmarks: sparse.csr_matrix


def opposite(label: int) -> int:
    """The label across the opening: 1 <-> 2, 3 <-> 4, ...; -1 for the free label 0."""
    if label == 0:
        return -1
    return label + 1 if label % 2 else label - 1


def edges_of(triangles: Ints) -> Ints:
    """Unique undirected edges (E, 2) of triangles (F, 3)."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges: Ints = np.unique(np.sort(pairs, axis=1), axis=0)
    return edges


def vertex_normals(vertices: Floats, triangles: Ints) -> Floats:
    """Area-weighted unit normals (V, 3); vertices without a triangle get zero."""
    corners = vertices[triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], face)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: Floats = normals / np.maximum(length, 1e-20)
    return unit


def boundary_vertices(triangles: Ints) -> Ints:
    """Vertices on an edge that has only one triangle."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    unique, count = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    rim: Ints = np.unique(unique[count == 1])
    return rim


class Samples(NamedTuple):
    """Points spread over a surface; each is a mix of one triangle's corners."""

    corners: Ints  # (N, 3) vertex indices
    barycentric: Floats  # (N, 3)
    points: Floats  # (N, 3)
    normals: Floats  # (N, 3)
    labels: Ints  # (N,)
    border: Mask  # (N,) on the rim of a hole


def sample(surface: Surface, steps: int) -> Samples:
    """Spread (steps + 1)(steps + 2) / 2 points over every triangle, corners included."""
    grid = np.array(
        [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)], float
    )
    grid /= steps
    corners = np.repeat(surface.triangles, len(grid), axis=0)
    mix = np.tile(grid, (len(surface.triangles), 1))
    normals = vertex_normals(surface.vertices, surface.triangles)
    rim = np.zeros(len(surface.vertices), dtype=bool)
    rim[boundary_vertices(surface.triangles)] = True
    return Samples(
        corners,
        mix,
        np.einsum("nk,nkd->nd", mix, surface.vertices[corners]),
        np.einsum("nk,nkd->nd", mix, normals[corners]),
        surface.labels[corners[np.arange(len(mix)), mix.argmax(axis=1)]],
        np.einsum("nk,nk->n", mix, rim[corners].astype(float)) > 0.999,
    )


class Matches(NamedTuple):
    """For each query its sample index and whether the match may be trusted."""

    sample: Ints
    trusted: Mask


class LabelledLookup:
    """Closest sample on a surface that is not across the opening and faces the same way."""

    candidates = 12

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self._rows: dict[int, Ints] = {}
        self._trees: dict[int, cKDTree] = {}

    def _tree(self, label: int) -> tuple[cKDTree, Ints]:
        if label not in self._trees:
            rows = np.flatnonzero(self.samples.labels != opposite(label))
            self._rows[label] = rows
            self._trees[label] = cKDTree(self.samples.points[rows])
        return self._trees[label], self._rows[label]

    def closest(self, points: Floats, normals: Floats, labels: Ints, reach: float) -> Matches:
        """Match points (N, 3); reach in the points' unit is the furthest distance trusted."""
        chosen = np.zeros(len(points), dtype=np.int64)
        trusted = np.zeros(len(points), dtype=bool)
        for label in np.unique(labels):
            mine = np.flatnonzero(labels == label)
            tree, rows = self._tree(int(label))
            # A list of ranks keeps the answer two-dimensional even for a single candidate.
            ranks = range(1, min(self.candidates, len(rows)) + 1)
            distance, near = tree.query(points[mine], k=list(ranks))
            near = rows[near]
            agree = np.einsum("nkd,nd->nk", self.samples.normals[near], normals[mine])
            best = np.argmin(np.where(agree > 0.4, distance, distance + 1e3 * reach), axis=1)
            row = np.arange(len(mine))
            chosen[mine] = near[row, best]
            trusted[mine] = (
                (agree[row, best] > 0.4)
                & (distance[row, best] < reach)
                & ~self.samples.border[chosen[mine]]
            )
        return Matches(chosen, trusted)


@dataclass(frozen=True)
class Schedule:
    """Stages of (stiffness, landmark weight) and how often each is repeated."""

    stages: tuple[tuple[float, float], ...] = (
        (50.0, 5.0),
        (20.0, 5.0),
        (8.0, 3.0),
        (3.0, 2.0),
        (1.5, 1.5),
        (0.8, 1.0),
        (0.4, 1.0),
        (0.25, 0.7),
    )
    repeats: int = 3

    def __iter__(self) -> Iterator[tuple[float, float]]:
        for stage in self.stages:
            yield from [stage] * self.repeats


def register(
    source: Surface, target: Surface, schedule: Schedule | None = None, samples_per_edge: int = 2
) -> Floats:
    """Deform source onto target: registered positions (V, 3) in the target's frame.

    Optimal-step non-rigid ICP with one affine matrix a vertex (Amberg et al. 2007, eq. 12).
    """
    goal = target.landmarks @ target.vertices
    start = fit_similarity(source.landmarks @ source.vertices, goal).apply(source.vertices)
    # The solver's weights assume a head of about unit size.
    unit = float(np.ptp(goal, axis=0).max())
    lookup = LabelledLookup(
        sample(
            Surface(target.vertices / unit, target.triangles, target.labels, target.landmarks),
            samples_per_edge,
        )
    )
    points = start / unit
    system = _AffineSystem(points, source, goal / unit)
    for stiffness, landmark_weight in schedule or Schedule():
        matches = lookup.closest(
            points, vertex_normals(points, source.triangles), source.labels, 0.25
        )
        points = system.solve(
            lookup.samples.points[matches.sample],
            matches.trusted.astype(float),
            stiffness,
            landmark_weight,
        )
    return points * unit


class _AffineSystem:
    """The normal equations of one Amberg step for a fixed source."""

    def __init__(self, start: Floats, source: Surface, goal: Floats) -> None:
        count = len(start)
        self._goal = goal
        edges = edges_of(source.triangles)
        row = np.arange(len(edges))
        incidence = sparse.csr_matrix(
            (
                np.tile([-1.0, 1.0], len(edges)),
                (np.repeat(row, 2), edges.ravel()),
            ),
            shape=(len(edges), count),
        )
        self._smooth = sparse.kron(incidence.T @ incidence, sparse.identity(4)).tocsc()
        homogeneous = np.concatenate([start, np.ones((count, 1))], axis=1)
        self._points = sparse.csr_matrix(
            (homogeneous.ravel(), (np.repeat(np.arange(count), 4), np.arange(4 * count))),
            shape=(count, 4 * count),
        )
        self._landmarks = source.landmarks @ self._points

    def solve(
        self, goal: Floats, weight: Floats, stiffness: float, landmark_weight: float
    ) -> Floats:
        """New positions (V, 3) for goals (V, 3) with weights (V,)."""
        weighted = self._points.T @ sparse.diags(weight**2)
        marks = landmark_weight**2 * self._landmarks.T
        # The ridge holds parts without any data (a loose component) where they are.
        matrix = (
            stiffness**2 * self._smooth
            + weighted @ self._points
            + marks @ self._landmarks
            + 1e-10 * sparse.identity(self._smooth.shape[0])
        )
        factor = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        affine = factor.solve(np.asarray(weighted @ goal + marks @ self._goal))
        return np.asarray(self._points @ affine)
