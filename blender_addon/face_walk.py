"""The same surface numbered twice: which vertex is which, by walking over both side by side.

Once one edge of a surface is known on the other, the polygons on its two sides follow, and so all
that hangs together: no positions are needed, so a sculpted face can be told like any other.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Polygon = tuple[int, ...]
# How many starts to try on each connected part, and how many that lead to an end to compare: an
# eyeball can be laid onto another in many ways, of which the nearest is meant.
_MOST_STARTS = 400
_ENOUGH_ENDS = 4


class Surface:
    """Polygons, and where each directed edge (a, b) lies: polygon and corner."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self.polygons = polygons
        self.places: dict[tuple[int, int], tuple[int, int]] = {}
        self.leaving: dict[int, list[tuple[int, int]]] = {}
        for number, polygon in enumerate(polygons):
            for corner, vertex in enumerate(polygon):
                ahead = polygon[(corner + 1) % len(polygon)]
                self.places[vertex, ahead] = (number, corner)
                self.leaving.setdefault(vertex, []).append((number, corner))


class Start(NamedTuple):
    """A polygon's corner on each surface, thought to be the same."""

    own: tuple[int, int]
    other: tuple[int, int]


def walk(own: Surface, other: Surface, start: Start) -> dict[int, int] | None:
    """Own vertex -> other's for the connected part around `start`; None as soon as the two
    surfaces differ."""
    pairs: dict[int, int] = {}
    backwards: dict[int, int] = {}
    seen: dict[int, tuple[int, int]] = {}
    waiting = [start]
    while waiting:
        (mine, corner), (theirs, their_corner) = waiting.pop()
        a, b = own.polygons[mine], other.polygons[theirs]
        turn = (their_corner - corner) % len(b)
        if seen.setdefault(mine, (theirs, turn)) != (theirs, turn) or len(a) != len(b):
            return None
        found = [(x, b[(place + turn) % len(b)]) for place, x in enumerate(a)]
        if any(pairs.setdefault(x, y) != y or backwards.setdefault(y, x) != x for x, y in found):
            return None
        for (x, y), (x2, y2) in zip(found, found[1:] + found[:1], strict=True):
            ahead, their_ahead = own.places.get((x2, x)), other.places.get((y2, y))
            if (ahead is None) != (their_ahead is None):
                return None
            if ahead is not None and their_ahead is not None and ahead[0] not in seen:
                waiting.append(Start(ahead, their_ahead))
    return pairs


def pairs_of(own: Surface, other: Surface, nearest: npt.NDArray[np.intp],
             distance: npt.NDArray[np.float64], cost: npt.NDArray[np.float64],
             other_cost: npt.NDArray[np.float64]) -> dict[int, int]:
    """Own vertex -> other's wherever a walk succeeds. `nearest` (V,) and `distance` (V,) say where
    to start; of several ways the one that brings places `cost` (V, 3) nearest to `other_cost`."""
    pairs: dict[int, int] = {}
    for part in _parts(own, len(nearest)):
        ends = _ends(own, other, part[np.argsort(distance[part])], nearest)
        best = min(ends, key=lambda end: _apart(end, cost, other_cost), default={})
        pairs |= best
    return pairs


def _ends(own: Surface, other: Surface, vertices: npt.NDArray[np.intp],
          nearest: npt.NDArray[np.intp]) -> list[dict[int, int]]:
    """The walks over one part that succeed, from its vertices in order, until enough did."""
    ends: list[dict[int, int]] = []
    for vertex in vertices[:_MOST_STARTS].tolist():
        for start in _starts(own, other, vertex, int(nearest[vertex])):
            found = walk(own, other, start)
            if found is not None:
                ends.append(found)
        if len(ends) >= _ENOUGH_ENDS:
            break
    return ends


def _starts(own: Surface, other: Surface, vertex: int, counterpart: int) -> Iterator[Start]:
    """All ways in which the polygons around two vertices may be laid onto each other."""
    mine = own.leaving.get(vertex, [])[:1]
    return (Start(corner, theirs) for corner in mine
            for theirs in other.leaving.get(counterpart, []))


def _apart(pairs: dict[int, int], places: npt.NDArray[np.float64],
           other: npt.NDArray[np.float64]) -> float:
    mine, theirs = (np.fromiter(side, np.intp, len(pairs))
                    for side in (pairs.keys(), pairs.values()))
    return float(np.square(places[mine] - other[theirs]).sum())


def _parts(surface: Surface, vertex_count: int) -> list[npt.NDArray[np.intp]]:
    """The vertices of each part that hangs together by polygons, the largest part first."""
    label = np.arange(vertex_count)
    links = np.array([edge for edge in surface.places], dtype=np.intp).reshape(-1, 2)
    while True:
        least = np.minimum(label[links[:, 0]], label[links[:, 1]])
        before = label.copy()
        for side in (0, 1):
            np.minimum.at(label, links[:, side], least)
        label = label[label]
        if (label == before).all():
            break
    used = np.unique(links)
    parts = [used[label[used] == name] for name in np.unique(label[used])]
    return sorted(parts, key=len, reverse=True)
