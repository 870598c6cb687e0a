"""Spirals on triangle meshes, and the pyramid of them that the spiral encoder walks (paper eq. 2).

A spiral lists a vertex, its one-ring in winding order, then the two-ring, and so on
(Gong et al. 2019, SpiralNet++).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .decimate import components, decimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_SOURCES = 3
# Where the mesh was thinned evenly, three kept vertices are met among so many.
_NEAR = 40


class Level(NamedTuple):
    """One step of the pyramid, from a mesh of ``size_in`` vertices to one of ``len(spirals)``.

    ``spirals`` (M, length) holds, for each kept vertex, indices into the finer mesh; ``kept`` (M,)
    says which fine vertices those are. Convolving at the kept vertices only equals convolving
    everywhere and then selecting, at a quarter of the cost. ``vertices`` and ``faces`` are the
    finer mesh, ``everywhere`` (size_in, length) its spirals.
    """

    size_in: int
    kept: Ints
    spirals: Ints
    everywhere: Ints
    vertices: Floats
    faces: Ints


class Rise(NamedTuple):
    """A level walked upwards: each fine vertex is a weighted mean of three kept ones.

    ``sources`` (size_in, 3) are indices into the coarse mesh, ``weights`` (size_in, 3) sum to 1.
    """

    sources: Ints
    weights: Floats


def pyramid(
    vertices: Floats, faces: Ints, levels: int, length: int, dilation: int, factor: int
) -> list[Level]:
    """Spirals and kept vertices of each level of a mesh (V, 3), (F, 3), finest first."""
    result = []
    for _ in range(levels):
        coarse = decimate(vertices, faces, factor)
        everywhere = spirals_of(vertices, faces, length, dilation)
        spirals = everywhere[coarse.kept]
        result.append(Level(len(vertices), coarse.kept, spirals, everywhere, vertices, faces))
        vertices, faces = vertices[coarse.kept], coarse.faces
    return result


def rise(level: Level) -> Rise:
    """The three kept vertices that each fine one meets first along the mesh, by inverse distance.

    Along the mesh, because straight through the air the lips would pull each other along. A vertex
    that meets fewer has the first again.
    """
    rings = one_rings(level.size_in, level.faces)
    number = np.full(level.size_in, -1)
    number[level.kept] = np.arange(len(level.kept))
    met = np.array([_first_kept(vertex, rings, number) for vertex in range(level.size_in)])
    away = level.vertices[:, None] - level.vertices[level.kept[met]]
    squared = (away**2).sum(-1)
    # A kept vertex is its own source; the others share by inverse square, as in PointNet++.
    closeness = 1 / np.maximum(squared, 1e-6 * squared.max())
    closeness[level.kept] = (1.0, 0.0, 0.0)
    return Rise(met, closeness / closeness.sum(-1, keepdims=True))


def _first_kept(vertex: int, rings: list[list[int]], number: Ints) -> list[int]:
    """Three coarse indices; further and further is walked until so many are met."""
    wanted, walk, met = 0, [vertex], [int(number[vertex])]
    while len(met) < _SOURCES and len(walk) > wanted // 2:
        wanted = max(_NEAR, 2 * wanted)
        walk = _walk(vertex, rings, wanted)
        met = [int(n) for n in number[walk] if n >= 0]
    return (met + met[:1] * _SOURCES)[:_SOURCES]


def spirals_of(vertices: Floats, faces: Ints, length: int, dilation: int = 1) -> Ints:
    """The dilated spiral of every vertex, (V, length).

    A vertex whose component ends before the spiral is full gets the nearest vertices of that
    component in order of distance instead (as SpiralNet++ does), padded by repeating itself.
    """
    rings = one_rings(len(vertices), faces)
    wanted = length * dilation
    walks = [_walk(vertex, rings, wanted) for vertex in range(len(vertices))]
    short = [vertex for vertex, walk in enumerate(walks) if len(walk) < wanted]
    for vertex, near in _nearest(vertices, components(len(vertices), faces), short, wanted):
        walks[vertex] = near + [vertex] * (wanted - len(near))
    return np.array([walk[::dilation] for walk in walks], dtype=np.int64)


def one_rings(vertex_count: int, faces: Ints) -> list[list[int]]:
    """Each vertex's neighbours in winding order, from its lowest index or its boundary edge."""
    following: list[dict[int, int]] = [{} for _ in range(vertex_count)]
    for a, b, c in faces.tolist():
        following[a][b], following[b][c], following[c][a] = c, a, b
    return [_ordered(after) for after in following]


def _ordered(after: dict[int, int]) -> list[int]:
    """Chain ``neighbour -> next neighbour`` into lists; an open fan begins at its open end."""
    ring: list[int] = []
    starts = sorted(set(after) - set(after.values())) + sorted(after)
    for start in starts:
        current: int | None = start
        while current is not None and current not in ring:
            ring.append(current)
            current = after.get(current)
    return ring


def _walk(vertex: int, rings: list[list[int]], wanted: int) -> list[int]:
    walk, seen, ring = [vertex], {vertex}, [vertex]
    while ring and len(walk) < wanted:
        further = []
        for inner in ring:
            for outer in rings[inner]:
                if outer not in seen:
                    seen.add(outer)
                    further.append(outer)
        walk += further
        ring = further
    return walk[:wanted]


def _nearest(
    vertices: Floats, labels: Ints, short: list[int], wanted: int
) -> list[tuple[int, list[int]]]:
    result = []
    for label in sorted({int(labels[vertex]) for vertex in short}):
        members = np.flatnonzero(labels == label)
        tree = cKDTree(vertices[members])
        for vertex in (v for v in short if labels[v] == label):
            _, near = tree.query(vertices[vertex], k=range(1, min(wanted, len(members)) + 1))
            others = [int(members[n]) for n in near if members[n] != vertex]
            result.append((vertex, [vertex, *others]))
    return result
