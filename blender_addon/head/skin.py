"""The skin: the cage put onto the form, subdivided, and its lips closed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import ears, eyelids, form, lips
from .cage import LAYERS, ROWS, Cage, Key
from .mesh import Array
from .openings import MOUTH, NECK, OPENINGS, Opening, build_cage
from .relax import spread
from .subdivide import Indices, Subdivided, catmull_clark, refine_loop

NECK_CUT_MM = -152.0
_ROWS_MM = np.array([-84, -74, -64, -59, -43, -30, -22, -15, -6, -3, 15, 34, 46, 64, 84, 104.0])
_LAYERS_MM = np.array([40, 20, 5, -12, -38, -66, -90, -105.0])
_COLUMNS_MM = np.array([0, 4.5, 11, 18, 26, 35, 45, 54, 60.0])
# Box vertices that carry the nose and the chin, for the +x half: (column, row) -> place in mm.
_NOSE_MM: dict[tuple[int, int], tuple[float, float, float]] = {
    (0, 6): (0, -22.0, 60), (0, 7): (0, -17.5, 70), (0, 8): (0, -8, 74),
    (3, 6): (17.5, -22, 49), (3, 7): (19, -15, 49), (2, 8): (12.5, -8, 58), (1, 8): (6.5, -7, 71),
    (3, 8): (20, -6, 50), (1, 9): (5.5, 4, 61), (0, 9): (0, 4, 67), (1, 10): (4.8, 15, 55),
    (0, 10): (0, 15, 57), (0, 1): (0, -74, 52),
}


class Skin(NamedTuple):
    """Vertices (V, 3) in mm, quads (F, 4), a tag per quad, rings of vertices by opening key."""

    vertices_mm: Array
    quads: Indices
    tags: list[str]
    rings: dict[Key, list[list[int]]]


def _box_guess(cage: Cage) -> Array:
    """Rough places (N, 3) of the box vertices; zeros elsewhere."""
    p = np.zeros((len(cage.index), 3))
    for key, n in cage.index.items():
        if key[0] == "box":
            i, j, k = (int(a) for a in key[1:])
            p[n] = np.sign(i) * _COLUMNS_MM[abs(i)], _ROWS_MM[j], _LAYERS_MM[k]
    return p


def _rim_mm(opening: Opening) -> Array:
    """First guess (N, 3) of the loop round an opening of the +x side."""
    count = len(opening.rim())
    guesses: dict[str, Callable[[], Array]] = {
        "mouth": lambda: lips.rim_mm(count),
        "eye": lambda: eyelids.rim_mm(count),
        "ear": ears.ear_rim_mm,
        "nostril": lambda: ears.NOSTRIL_RIM_MM,
    }
    return guesses[opening.name]()


def _side(opening: Opening) -> Array:
    return np.array([-1.0 if opening.side < 0 else 1.0, 1.0, 1.0])


def _pins(cage: Cage) -> dict[int, Array]:
    """The places in mm of nose, chin, crown and occiput by vertex."""
    pins = {
        cage.index["box", sign * i, j, 0]: np.array(place) * (float(sign), 1.0, 1.0)
        for (i, j), place in _NOSE_MM.items()
        for sign in (1, -1)
    }
    pins[cage.index["box", 0, ROWS, 3]] = np.array([0.0, 134, -30])
    pins[cage.index["box", 0, 8, LAYERS]] = np.array([0.0, 20, -118])
    return pins


def _pin(cage: Cage, p: Array) -> tuple[Array, list[int]]:
    """Put rims, nose and chin where they belong and say which vertices those are."""
    p, pins = p.copy(), _pins(cage)
    p[list(pins)] = list(pins.values())
    pinned = set(pins)
    for opening in OPENINGS:
        loop = cage.loop(opening.rim())
        guess = _neck_ring_mm(p[loop]) if opening is NECK else _rim_mm(opening)
        p[loop] = guess * _side(opening)
        pinned.update(loop)
    return p, sorted(pinned)


def _neck_ring_mm(box: Array) -> Array:
    """The loop (N, 3) where the neck begins, higher behind than in front, from its box places."""
    turn = np.arctan2(box[:, 0] / 26, (box[:, 2] + 45) / 28)
    y = -92 + 16 * (1 - np.cos(turn)) / 2
    return np.stack([42 * np.sin(turn), y, -44 + 42 * np.cos(turn)], axis=-1)


def _box_edges(cage: Cage) -> Indices:
    """Edges (E, 2) between box vertices."""
    box = {n for key, n in cage.index.items() if key[0] == "box"}
    pairs = {
        (min(a, b), max(a, b))
        for quad in cage.quads
        for a, b in zip(quad, quad[1:] + quad[:1], strict=True)
        if a in box and b in box
    }
    return np.array(sorted(pairs))


def _box_partner(cage: Cage, count: int) -> Indices:
    """The mirror partner (count,) of every box vertex; others partner themselves."""
    partner = np.arange(count)
    for key, n in cage.index.items():
        if key[0] == "box":
            partner[n] = cage.index["box", -int(key[1]), key[2], key[3]]
    return partner


def _ring_mm(opening: Opening, number: int) -> Array:
    count = len(opening.rim())
    rings: dict[str, Callable[[], Array]] = {
        "mouth": lambda: lips.ring_mm(number, count),
        "eye": lambda: eyelids.ring_mm(number, count),
        "ear": lambda: ears.ear_ring_mm(number),
        "nostril": lambda: ears.nostril_ring_mm(number),
    }
    return rings[opening.name]()


def _cap_mm(key: Key) -> Array:
    u, v = int(key[3]), int(key[4])
    return lips.cap_mm(u, v) if key[0] == "mouth" else ears.ear_cap_mm(v)


def _set_rings(cage: Cage, p: Array) -> Array:
    """Place every ring and cap inside the openings."""
    p = p.copy()
    for opening in OPENINGS:
        if opening.name == "neck":
            continue
        for number in range(1, len(opening.rings) + 1):
            p[cage.loop(opening.ring(number))] = _ring_mm(opening, number) * _side(opening)
    for key, n in cage.index.items():
        if "cap" in key:
            p[n] = _cap_mm(key) * (-1 if int(key[1]) < 0 else 1, 1, 1)
    return p


def _set_neck(cage: Cage, p: Array) -> Array:
    """Run the neck straight down to a level cut, on the form."""
    p, top = p.copy(), p[cage.loop(NECK.rim())]
    steps = len(NECK.rings)
    for number in range(1, steps + 1):
        ring = top.copy()
        ring[:, 1] += (NECK_CUT_MM - top[:, 1]) * number / steps
        onto = form.project(ring, 8)
        p[cage.loop(NECK.ring(number))] = np.stack([onto[:, 0], ring[:, 1], onto[:, 2]], axis=-1)
    return p


def _formed(cage: Cage) -> Array:
    """1 for vertices that lie on the form, 0 for those of rings within openings (N,)."""
    onto = {("mouth", 1), ("eye", 1), *(("neck", n + 1) for n in range(len(NECK.rings)))}
    return np.array(
        [float(key[0] == "box" or (key[0], key[2]) in onto) for key in cage.index]
    )


def _close_lips(p: Array, rings: list[list[int]]) -> Array:
    """Let upper and lower lip meet: subdivision has drawn the contact rings apart."""
    p = p.copy()
    for number in lips.CONTACT_RINGS:
        ring = rings[number]
        half, corner = len(ring) // 2, len(ring) // 2 - 2
        for step in range(1, half):
            upper = ring[(corner + step) % len(ring)]
            lower = ring[(corner - step) % len(ring)]
            p[[upper, lower]] = (p[upper] + p[lower]) / 2
    return p


def _fine_rings(cage: Cage, fine: Subdivided) -> dict[Key, list[list[int]]]:
    return {
        opening.key: [
            refine_loop(cage.loop(opening.ring(number)), fine.edge_point)
            for number in range(len(opening.rings) + 1)
        ]
        for opening in OPENINGS
    }


def _cage_mm(cage: Cage) -> Array:
    """The cage's vertices (N, 3) in mm; the box vertices come first."""
    p, pinned = _pin(cage, _box_guess(cage))
    box = sum(key[0] == "box" for key in cage.index)
    p[:box] = spread(p[:box], _box_edges(cage), np.array(pinned), _box_partner(cage, box))
    return _set_neck(cage, _set_rings(cage, p))


def _settle(p: Array, weight: Array, quads: Indices) -> Array:
    """Draw vertices onto the form by weight (V, 1) and even out their spacing there.

    The neck's cut keeps its level.
    """
    sides = np.concatenate([quads, quads])
    near = np.concatenate([np.roll(quads, -1, axis=1), np.roll(quads, 1, axis=1)])
    degree = np.bincount(sides.ravel(), minlength=len(p))[:, None]
    cut = np.where(p[:, 1:2] < NECK_CUT_MM + 2, np.array([1, 0, 1]), 1)
    for evenness in (0, 0.4, 0.4, 0.4, 0):
        total = np.zeros_like(p)
        np.add.at(total, sides, p[near])
        free = weight * (weight > 0.99) * cut
        p = p + evenness * free * (total / degree - p)
        p = p + weight * cut * (form.project(p, 2) - p)
    return p


def build_skin() -> Skin:
    """The subdivided skin with all its rings."""
    cage = build_cage()
    p = _cage_mm(cage)
    fine = catmull_clark(np.column_stack([p, _formed(cage)]), np.array(cage.quads))
    vertices, weight = fine.values[:, :3], fine.values[:, 3:]
    vertices = _settle(vertices, np.clip((weight - 0.25) / 0.5, 0, 1), fine.quads)
    rings = _fine_rings(cage, fine)
    vertices = _close_lips(vertices, rings[MOUTH.key])
    tags = [tag for tag in cage.tags for _ in range(4)]
    return Skin(vertices, fine.quads, tags, rings)
