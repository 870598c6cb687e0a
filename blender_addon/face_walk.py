"""The same surface numbered twice: which vertex is which, by walking over both side by side.

Once one edge of a surface is known on the other, the polygons on its two sides follow, and so all
that hangs together: no positions are needed, so a sculpted face can be told like any other.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import face_check

Polygon = tuple[int, ...]
Places = npt.NDArray[np.float32]
Pairs = dict[int, int]
# Vertices are told apart by what lies within this many edges of them.
_HORIZON = 24
# How many starts to try on each connected part, and how many that lead to an end to compare: an
# eyeball can be laid onto another in many ways, of which the nearest is meant.
_MOST_STARTS = 600
_ENOUGH_ENDS = 200


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


def walk(own: Surface, other: Surface, start: Start) -> Pairs | None:
    """Own vertex -> other's for the connected part around `start`; None as soon as the two
    surfaces differ."""
    pairs: Pairs = {}
    backwards: Pairs = {}
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


def pairs_of(own: Surface, other: Surface, places: Places, other_places: Places) -> Pairs:
    """Own vertex -> other's wherever a walk succeeds; of several ways, as for eyeballs, the one
    that suits the places (V, 3) best."""
    colours, other_colours = (_colours(each, len(places)) for each in (own, other))
    pairs: Pairs = {}
    for part in _parts(own, len(places)):
        ends = _ends(own, other, part, colours, other_colours)
        if ends:
            misfits = [_misfit({**pairs, **end}, places, other_places) for end in ends]
            pairs.update(ends[misfits.index(min(misfits))])
    return pairs


def _ends(own: Surface, other: Surface, part: npt.NDArray[np.intp],
          colours: npt.NDArray[np.uint64], other_colours: npt.NDArray[np.uint64]) -> list[Pairs]:
    """The walks over one part that succeed, from its rarest vertex."""
    _kinds, place, counts = np.unique(colours[part], return_index=True, return_counts=True)
    ends: list[Pairs] = []
    tries = 0
    for vertex in part[place[np.argsort(counts, kind="stable")]][:4].tolist():
        for start in _starts(own, other, vertex, np.flatnonzero(other_colours == colours[vertex])):
            tries += 1
            found = walk(own, other, start)
            ends += [found] if found is not None else []
            if len(ends) >= _ENOUGH_ENDS or tries >= _MOST_STARTS:
                return ends
        if ends:
            break
    return ends


def _starts(own: Surface, other: Surface, vertex: int,
            counterparts: npt.NDArray[np.intp]) -> Iterator[Start]:
    """All ways in which the polygons around like vertices may be laid onto each other."""
    mine = own.leaving[vertex][0]
    return (Start(mine, theirs) for counterpart in counterparts.tolist()
            for theirs in other.leaving.get(counterpart, []))


def _misfit(pairs: Pairs, places: Places, other_places: Places) -> float:
    mine, theirs = (np.fromiter(side, np.intp, len(pairs))
                    for side in (pairs.keys(), pairs.values()))
    return face_check.similarity(other_places[theirs], places[mine]).residual


def _colours(surface: Surface, vertex_count: int) -> npt.NDArray[np.uint64]:
    """A number for each vertex that depends on the connectivity around it and not on its own
    number (the refinement of Weisfeiler and Leman 1968)."""
    links = np.array(list(surface.places), dtype=np.intp).reshape(-1, 2)
    colours = np.ones(vertex_count, dtype=np.uint64)
    for _round in range(_HORIZON):
        mixed = (colours ^ (colours >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
        colours = mixed * np.uint64(3)
        np.add.at(colours, links[:, 0], mixed[links[:, 1]])
        np.add.at(colours, links[:, 1], mixed[links[:, 0]] * np.uint64(5))
    return colours


def _parts(surface: Surface, vertex_count: int) -> list[npt.NDArray[np.intp]]:
    """The vertices of each part that hangs together by polygons, the largest part first."""
    label = np.arange(vertex_count)
    links = np.array(list(surface.places), dtype=np.intp).reshape(-1, 2)
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
