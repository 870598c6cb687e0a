"""Regions of a face found from its 51 landmarks: the sides of mouth and eyes, distances on skin.

Landmarks are the iBUG 68 without the jaw line, so number k here is number k + 17 there.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from .registration import Floats, Ints, Mask, edges_of

BROWS = tuple(range(10))
NOSE = tuple(range(10, 19))
RIGHT_EYE = tuple(range(19, 25))
LEFT_EYE = tuple(range(25, 31))
OUTER_LIPS = tuple(range(31, 43))
INNER_LIPS = tuple(range(43, 51))
MOUTH_CORNERS = (31, 37)

# The two sides of each opening, corner to corner: upper lip, lower lip, upper lid, ...
SIDES: tuple[tuple[int, ...], ...] = (
    (43, 44, 45, 46, 47),
    (43, 50, 49, 48, 47),
    (19, 20, 21, 22),
    (19, 24, 23, 22),
    (25, 26, 27, 28),
    (25, 30, 29, 28),
)
UPPER_LIP, LOWER_LIP = 1, 2
# Bands reach this far from the rim, as a fraction of the opening's width.
LIP_BAND, LID_BAND = 0.35, 0.3
# A landmark off its rim makes the way from corner to corner this much longer.
DETOUR = 1.3


def edge_graph(vertices: Floats, triangles: Ints) -> sparse.csr_matrix:
    """Edge lengths as a symmetric sparse matrix (V, V)."""
    edges = edges_of(triangles)
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    graph = sparse.coo_matrix((length, (edges[:, 0], edges[:, 1])), shape=[len(vertices)] * 2)
    return (graph + graph.T).tocsr()


def distance_from(graph: sparse.csr_matrix, seeds: Ints) -> Floats:
    """Distance along edges from the nearest seed vertex (V,); unreachable vertices are inf."""
    distance: Floats = dijkstra(graph, indices=np.unique(seeds), min_only=True)
    return distance


def path_through(graph: sparse.csr_matrix, stops: Ints) -> Ints:
    """Vertices of the shortest edge path visiting the stops in order."""
    path = [int(stops[0])]
    for start, end in itertools.pairwise(stops):
        _, before = dijkstra(graph, indices=int(start), return_predecessors=True)
        leg = [int(end)]
        while leg[-1] != start:
            leg.append(int(before[leg[-1]]))
        path.extend(reversed(leg[:-1]))
    return np.array(path)


def rims(graph: sparse.csr_matrix, landmarks: Ints, opening: int) -> tuple[Ints, Ints]:
    """Upper and lower rim of the mouth (opening 0), the right eye (1) or the left eye (2).

    Each is a vertex path from corner to corner. A landmark that was put on the other side of the
    opening (BIWI's published set has one) would lead its rim across and back: it is passed over.
    """
    sides = SIDES[2 * opening : 2 * opening + 2]
    upper, lower = (path_through(graph, _straight(graph, landmarks[list(s)])) for s in sides)
    return upper, lower


def _straight(graph: sparse.csr_matrix, stops: Ints) -> Ints:
    """Stops whose way along edges has no detour: the worst one is left out until none is."""
    apart: Floats = dijkstra(graph, indices=stops)[:, stops]
    kept = list(range(len(stops)))
    while len(kept) > 2:
        inner = np.array(kept)
        via = apart[inner[:-2], inner[1:-1]] + apart[inner[1:-1], inner[2:]]
        detours = via / apart[inner[:-2], inner[2:]]
        if detours.max() < DETOUR:
            break
        del kept[1 + int(detours.argmax())]
    return stops[kept]


def opening_labels(vertices: Floats, triangles: Ints, landmarks: Ints) -> Ints:
    """Label (V,) of each vertex near a lip or lid by its side (1 to 6), 0 elsewhere.

    A vertex belongs to the side whose rim is nearer along the skin, so lips that touch at rest
    are still told apart. Vertices as near to both (the corners) stay free.
    """
    graph = edge_graph(vertices, triangles)
    labels = np.zeros(len(vertices), dtype=np.int64)
    for opening in range(3):
        sides = SIDES[2 * opening : 2 * opening + 2]
        near = [distance_from(graph, rim) for rim in rims(graph, landmarks, opening)]
        ends = vertices[landmarks[[sides[0][0], sides[0][-1]]]]
        width = float(np.linalg.norm(ends[0] - ends[1]))
        band = width * (LIP_BAND if opening == 0 else LID_BAND)
        difference = np.minimum(near[1], 10 * width) - np.minimum(near[0], 10 * width)
        clear = (np.minimum(*near) < band) & (np.abs(difference) > 0.02 * width)
        labels[clear & (difference > 0)] = 2 * opening + 1
        labels[clear & (difference < 0)] = 2 * opening + 2
    return labels


def lip_band(vertices: Floats, triangles: Ints, landmarks: Ints) -> Mask:
    """Vertices (V,) within a ninth of the mouth's width of the lips' outer or inner contour."""
    graph = edge_graph(vertices, triangles)
    outer = path_through(graph, landmarks[list(OUTER_LIPS + OUTER_LIPS[:1])])
    contours = np.concatenate([outer, *rims(graph, landmarks, 0)])
    corners = vertices[landmarks[list(MOUTH_CORNERS)]]
    width = float(np.linalg.norm(corners[0] - corners[1]))
    return np.asarray(distance_from(graph, contours) < width / 9)


def smoothstep(x: Floats, low: float, high: float) -> Floats:
    """0 below low, 1 above high, smooth between (descending when low > high)."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
