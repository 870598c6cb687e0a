"""The skin's control cage: a box of quads with rectangles cut out and rings of quads set in.

A rectangle's rim becomes the outermost edge loop of an eye, the mouth, an ear, a nostril or the
neck, so every opening is surrounded by closed loops and only its four corners are poles.
"""

from collections.abc import Iterable, Sequence

Key = tuple[str | int, ...]
Quad = tuple[int, int, int, int]

HALF_COLUMNS = 8
ROWS = 15
LAYERS = 7


class Cage:
    """Vertices by key, quads by vertex index, and the tag of every quad."""

    def __init__(self) -> None:
        self.index: dict[Key, int] = {}
        self.quads: list[Quad] = []
        self.tags: list[str] = []

    def vertex(self, key: Key) -> int:
        """The index of a key's vertex, new or known."""
        return self.index.setdefault(key, len(self.index))

    def add(self, keys: Sequence[Key], tag: str, flip: bool) -> None:
        """Add one quad, counter-clockwise seen from outside unless flipped."""
        a, b, c, d = (self.vertex(key) for key in keys)
        self.quads.append((d, c, b, a) if flip else (a, b, c, d))
        self.tags.append(tag)

    def loop(self, keys: Iterable[Key]) -> list[int]:
        """The vertex indices of a loop of keys."""
        return [self.index[key] for key in keys]

    def add_ring(self, outer: list[Key], inner: list[Key], tag: str, flip: bool) -> None:
        """Join two loops of equal length by quads."""
        for n in range(len(outer)):
            m = (n + 1) % len(outer)
            self.add((outer[n], outer[m], inner[m], inner[n]), tag, flip)

    def add_cap(self, ring: list[Key], name: Key, size: tuple[int, int], tag: str,
                flip: bool) -> None:
        """Close a ring with a grid of `size` cells whose rim it is."""
        rim = dict(zip(rectangle(0, size[0], 0, size[1]), ring, strict=True))
        for u in range(size[0]):
            for v in range(size[1]):
                corners = ((u, v), (u + 1, v), (u + 1, v + 1), (u, v + 1))
                self.add([rim.get(at, (*name, "cap", *at)) for at in corners], tag, flip)


def rectangle(u0: int, u1: int, v0: int, v1: int) -> list[tuple[int, int]]:
    """The lattice points round a rectangle, counter-clockwise from (u0, v0)."""
    return (
        [(u, v0) for u in range(u0, u1)]
        + [(u1, v) for v in range(v0, v1)]
        + [(u, v1) for u in range(u1, u0, -1)]
        + [(u0, v) for v in range(v1, v0, -1)]
    )


def at_panel(panel: str, u: int, v: int) -> Key:
    """The box key of lattice point (u, v) on a panel of the box."""
    places: dict[str, Key] = {
        "front": (u, v, 0),
        "back": (u, v, LAYERS),
        "right": (HALF_COLUMNS, v, u),
        "left": (-HALF_COLUMNS, v, u),
        "top": (u, ROWS, v),
        "bottom": (u, 0, v),
    }
    return ("box", *places[panel])


PANELS = {
    "front": (range(-HALF_COLUMNS, HALF_COLUMNS), range(ROWS), False),
    "back": (range(-HALF_COLUMNS, HALF_COLUMNS), range(ROWS), True),
    "right": (range(LAYERS), range(ROWS), False),
    "left": (range(LAYERS), range(ROWS), True),
    "top": (range(-HALF_COLUMNS, HALF_COLUMNS), range(LAYERS), False),
    "bottom": (range(-HALF_COLUMNS, HALF_COLUMNS), range(LAYERS), True),
}


def add_box(cage: Cage, cut: set[tuple[str, int, int]]) -> None:
    """Add every cell of the box surface that is not cut out."""
    for panel, (columns, rows, flip) in PANELS.items():
        for u in columns:
            for v in rows:
                if (panel, u, v) in cut:
                    continue
                corners = ((u, v), (u + 1, v), (u + 1, v + 1), (u, v + 1))
                cage.add([at_panel(panel, *at) for at in corners], "skin", flip)
